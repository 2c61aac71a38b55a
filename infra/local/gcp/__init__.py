"""The embedded GCP: its parts."""
