"""The pages, one noun a file. Each reads what it shows, and draws nothing: that is for the templates."""
