"""What makes the API server, its watches, credentials and Helm fail, for the fault tests."""
