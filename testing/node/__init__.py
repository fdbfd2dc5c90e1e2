"""A real node with real containers, for the tests with `--node`: containerd, kubelet, kube-proxy, and their images."""
