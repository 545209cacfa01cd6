"""The clock and the other things of the machine we run on."""
