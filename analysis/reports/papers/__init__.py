"""Reports as documents: plain data that is hashed, set as a PDF, and shown as a page."""
