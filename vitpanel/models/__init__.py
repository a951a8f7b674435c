"""timm models: loaded and checked, their attention captured and edited."""
