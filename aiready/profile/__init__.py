"""From measures to the profile of a unit: barriers, facets, actions, and the assessment that holds them."""
