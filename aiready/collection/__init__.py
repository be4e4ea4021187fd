"""Write questionnaires and forms to be filled in, and import the exports of survey tools."""
