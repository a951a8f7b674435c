"""The four linked views of the paper, one file each."""
