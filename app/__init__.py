"""The interactive app: pages that choose, call ``drnn_core`` and draw."""
