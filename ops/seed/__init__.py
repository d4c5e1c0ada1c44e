"""What a new system begins with: catalogue and sites, and how such files are read."""
