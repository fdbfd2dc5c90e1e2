"""The Kubernetes API: client, credentials, resources, list streams, Events. Imports only `urumi`."""
