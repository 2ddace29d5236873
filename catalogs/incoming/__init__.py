"""Tables as others send them: CSV, workbooks and national catalog files, read row by row and brought to a release."""
