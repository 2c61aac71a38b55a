"""What a change does to each stack: two commits, previewed and compared, as the comment of a pull request."""
