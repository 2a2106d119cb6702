"""The front page of each role, the way through the site, help, and the style guide of developers."""
