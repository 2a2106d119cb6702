"""The practice's library of evidence: files, what they prove, for which sites, and who has seen them."""
