"""The settings, a module for each thing that they are about.

Field `port` of a group is the environment variable ORDER_CORE_PORT. `contradictions` of a
module is given the texts of the variables by field, and yields what they cannot say together.
"""
