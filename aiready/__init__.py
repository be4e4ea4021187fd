"""aiready: how far an organisation's AI work is from the work itself."""
