"""The study on disk: format, writer and reader."""
