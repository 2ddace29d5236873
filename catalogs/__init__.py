"""The code books and catalogs that ship with the hub, and the loader that checks them."""
