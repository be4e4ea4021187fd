"""What goes out to be filled in and how it comes back: questionnaires, forms, exports of survey tools."""
