"""A WooCommerce shop from the files of its chart."""
