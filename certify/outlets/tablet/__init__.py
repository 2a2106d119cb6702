"""The surveyor's tablet: the shell of the app that works without a network, its service worker, its icons and manifest."""
