"""Files: their names and folders, their formats, and tables with fixed columns; written whole or not at all."""
