/**
 * Tablet.seal: the digest that a signature is bound to.
 *   canonical(value)                 JSON without spaces, keys sorted by code point, other scripts as they are
 *   sha256(text)                     promise of the hex of the SHA-256 of its UTF-8
 *   digest(answers, conflicts)       promise: the digest of what stands, as certify/certification/surveys/seal.py makes it
 *   judge(answers, conflicts, field) promise: null (not signed) | {intact, signed: the signature's value, digest: today's}
 *                                    field: "signature:leader" | "signature:surveyor", of any site
 */
