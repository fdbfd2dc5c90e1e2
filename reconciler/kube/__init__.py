"""The Kubernetes API: client, credentials, resources, list streams, Events. Imports nothing of ours but `urumi`."""
