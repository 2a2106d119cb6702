"""How Word shows the documents: the only package that imports docx and docxtpl."""
