"""From checked tables to measures, one package or module per input; they never import each other."""
