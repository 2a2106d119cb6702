/**
 * Tablet.photo: makes a picture fit to send.
 *   prepare(file)   gives {blob, media_type:"image/jpeg", width, height, size, digest}: at most 2048 pixels along an edge,
 *                   JPEG at 0.82, drawn anew, so that nothing of the file's metadata (place, device) is left.
 *                   Throws Tablet.NotAPicture for what the browser cannot read.
 *   digest(blob)    SHA-256 as hex
 *   url(PhotoRow)   an object URL for <img>, one per photo and page
 */
