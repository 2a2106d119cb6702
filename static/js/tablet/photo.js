/**
 * Tablet.photo: makes a picture fit to send.
 *   prepare(file)   gives {blob, media_type:"image/jpeg", width, height, size, digest}: at most 2048 pixels along an edge,
 *                   JPEG at 0.82, drawn anew, so that nothing of the file's metadata (place, device) is left.
 *                   Throws Tablet.NotAPicture for what the browser cannot read.
 *   digest(blob)    SHA-256 as hex
 *   url(PhotoRow)   an object URL for <img>, one per photo and page
 */
(() => {
  "use strict";

  const Tablet = (globalThis.Tablet = globalThis.Tablet || {});
  const LONGEST_EDGE = 2048;
  const QUALITY = 0.82;
  const MEDIA_TYPE = "image/jpeg";
  const urls = new Map();

  const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const digest = async (blob) => hex(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));

  async function draw(bitmap, width, height) {
    if (typeof OffscreenCanvas === "function") {
      const canvas = new OffscreenCanvas(width, height);
      paint(canvas.getContext("2d"), bitmap, width, height);
      return canvas.convertToBlob({ type: MEDIA_TYPE, quality: QUALITY });
    }
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    paint(canvas.getContext("2d"), bitmap, width, height);
    return new Promise((done) => canvas.toBlob(done, MEDIA_TYPE, QUALITY));
  }
  function paint(context, bitmap, width, height) {
    context.fillStyle = "#fff"; // what was transparent is paper, not black
    context.fillRect(0, 0, width, height);
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, width, height);
  }

  async function prepare(file) {
    let bitmap;
    try {
      bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch {
      throw new Tablet.NotAPicture();
    }
    const scale = Math.min(1, LONGEST_EDGE / Math.max(bitmap.width, bitmap.height));
    const width = Math.max(1, Math.round(bitmap.width * scale));
    const height = Math.max(1, Math.round(bitmap.height * scale));
    try {
      const blob = await draw(bitmap, width, height);
      if (!blob) throw new Tablet.NotAPicture();
      return { blob, media_type: MEDIA_TYPE, width, height, size: blob.size, digest: await digest(blob) };
    } finally {
      bitmap.close();
    }
  }

  function url(photo) {
    if (!photo.blob) return "";
    if (!urls.has(photo.uuid)) urls.set(photo.uuid, URL.createObjectURL(photo.blob));
    return urls.get(photo.uuid);
  }

  Tablet.photo = { prepare, digest, url, hex };
})();
