"""A real node with real containers, without Docker: containerd, kubelet, kube-proxy, and their images."""
