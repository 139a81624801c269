"""Files: their names and folders, access to them, their formats, and tables with fixed columns."""
