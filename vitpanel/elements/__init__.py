"""HoloViews elements of what the views show."""
