"""The one place that knows concrete classes."""
