/**
 * Tablet.uploads: brings photos to the server in parts, and goes on where an earlier attempt stopped.
 *   sendAll(survey, me, told)   one photo after the other, oldest first; `told()` after each; throws Stopped
 */
(() => {
  "use strict";

  const Tablet = (globalThis.Tablet = globalThis.Tablet || {});
  const store = Tablet.store;
  const { ask, whoAmI, Stopped } = Tablet.wire;
  const PART = { most: 256 * 1024, least: 32 * 1024 };
  const PATIENCE = 5; // tries of one photo before the others go first
  let part = PART.most;

  const base64 = (hex) => btoa(hex.match(/../g).map((byte) => String.fromCharCode(parseInt(byte, 16))).join(""));

  function keepPhoto(uuid, change) {
    return store.write(["photos", "meta"], async (tx) => {
      const now = await tx.objectStore("photos").get(uuid);
      if (!now) return;
      const row = { ...now, ...change };
      // Discarded while it was on its way: that stands.
      if (now.state === "discarded") row.state = "discarded";
      tx.objectStore("photos").put(row);
      if (change.state === "sent") tx.objectStore("meta").put(new Date().toISOString(), "last_sent_at");
    });
  }

  async function settle(photo, change) {
    await keepPhoto(photo.uuid, change);
    Tablet.say("changed", { survey: photo.survey, answers: [], conflicts: false, photos: true });
  }

  async function sendAll(survey, me, told) {
    for (;;) {
      const photos = await store.queued("photos", me.id, survey);
      if (!photos.length) return;
      Tablet.say("sending", { survey, answers: 0, photos: photos.length });
      // One that fails again and again lets the others go first.
      const turn = (photo) => `${photo.tries >= PATIENCE ? 1 : 0}${photo.at}`;
      await sendPhoto(photos.reduce((first, photo) => (turn(photo) < turn(first) ? photo : first)), me);
      await told();
    }
  }

  /** The bytes of a photo; null when the tablet's disk no longer gives them. */
  async function bytesOf(photo) {
    try {
      return await photo.blob.arrayBuffer();
    } catch {
      return null;
    }
  }

  async function sendPhoto(photo, me) {
    const bytes = await bytesOf(photo);
    if (bytes === null || bytes.byteLength !== photo.size) {
      await settle(photo, { state: "rejected", reason: "This tablet can no longer read the photo." });
      return;
    }
    const address = `/surveys/${photo.survey}/attachments/${photo.uuid}`;
    let offset = photo.offset;
    let whole = photo.size <= PART.least;
    // An earlier attempt may have left parts there, more or fewer than is known here.
    if (!whole && (photo.tries || photo.offset)) {
      const { status, body } = await ask(`${address}/parts.json?digest=${photo.digest}`, {}, [404]);
      if (status === 404) whole = true;
      else if (body.complete === true) {
        await settle(photo, { state: "sent", offset: photo.size, reason: null });
        return;
      }
      else if (Number.isInteger(body.offset) && body.offset >= 0 && body.offset <= photo.size) offset = body.offset;
      else throw new Stopped("garbage");
    }
    await keepPhoto(photo.uuid, { tries: photo.tries + 1, offset });
    if (whole || offset >= photo.size) offset = 0;
    let stuck = 0;
    for (;;) {
      const end = whole ? photo.size : Math.min(offset + part, photo.size);
      const headers = { "Content-Type": photo.media_type, "Content-Digest": `sha-256=:${base64(photo.digest)}:` };
      if (!whole && end - offset < photo.size) headers["Content-Range"] = `bytes ${offset}-${end - 1}/${photo.size}`;
      let answer;
      try {
        // Another person who signs in meanwhile must not send it as his own: the server compares.
        answer = await ask(`${address}?person=${me.id}`, { method: "PUT", headers, body: bytes.slice(offset, end) }, [409, 413, 415, 416, 422]);
      } catch (error) {
        // Too slow a link for parts of this size: the next ones are smaller.
        if (error instanceof Stopped && (error.problem === "server" || error.problem === "offline")) part = Math.max(PART.least, part / 2);
        throw error;
      }
      const { status, body } = answer;
      if (status === 200 || status === 201) {
        if (String(body.id).toLowerCase() !== photo.uuid || body.sha256 !== photo.digest) throw new Stopped("garbage");
        part = Math.min(PART.most, part * 2);
        await settle(photo, { state: "sent", offset: photo.size, reason: null });
        return;
      }
      if (Number.isInteger(body.offset) && body.offset >= 0 && body.offset <= photo.size) {
        stuck = body.offset > offset ? 0 : stuck + 1;
        if (stuck > 3) throw new Stopped("server");
        offset = body.offset >= photo.size ? 0 : body.offset;
        await keepPhoto(photo.uuid, { offset });
        continue;
      }
      if (status === 202) throw new Stopped("garbage");
      if (status === 409) {
        const now = await whoAmI();
        if (now.id !== me.id) throw new Stopped("other_person", now.name);
      }
      await settle(photo, { state: "rejected", reason: body.detail || "The server does not take this photo." });
      return;
    }
  }

  Tablet.uploads = { sendAll };
})();
