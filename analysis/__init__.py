"""From valid responses to measured constructs to relations between them.

Read in this order: scoring -> items, reliability -> efa -> sem -> measurement ->
regression, dyads -> claims. Frames and arrays go in, frozen results come out.
"""
