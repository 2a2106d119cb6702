/* Photos: taken at an element, captioned, bound to more elements, taken back with a reason. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, id, icon, badge, twice, why, saidWhy, bytes } = Tablet.dom;

  /** A button that opens the camera or the files, and keeps what comes. `about` gives the elements. */
  function taker(desk, site, about, { words = "Photo", cls = "chip-toggle", label, done }) {
    const own = id("photo");
    const text = h("span", {}, words);
    const input = h("input", {
      type: "file", class: "sr-only", id: own, accept: "image/*", multiple: true, "aria-label": label || words,
      on: {
        change: async () => {
          const files = Array.from(input.files);
          input.value = "";
          text.textContent = "Keeping…";
          const failed = [];
          const about_ = about(); // the element that was worked on when the camera was opened
          for (const file of files) {
            try {
              const kept = await Tablet.journal.addPhoto(desk.survey, { site, about: about_, file, caption: "" });
              desk.placePhoto(kept);
              if (done) done(kept);
            } catch (error) {
              failed.push({ name: file.name, error });
            }
          }
          if (failed.length) Tablet.app.failed(failed[0].error, `${Tablet.dom.list(failed.map((one) => one.name))} could not be kept. `);
          text.textContent = words;
        },
      },
    });
    return h("span", { class: "photo-taker" }, input, h("label", { class: cls, for: own }, icon("camera"), text));
  }

  const STATES = { waiting: ["due", "Not yet sent", "upload"], sent: ["met", "Sent", "check"], rejected: ["late", "Refused", "alert"], discarded: ["neutral", "Discarded", null] };

  /** A small picture; read by the eye and, by its caption, aloud. */
  function picture(photo, cls = "photo__picture") {
    if (!photo.blob) return h("span", { class: `${cls} photo__none` }, icon("image"));
    return h("img", { class: cls, src: Tablet.photo.url(photo), alt: photo.caption || "Photo without a caption", loading: "lazy", decoding: "async" });
  }

  /** One photo with its caption, what it shows, and taking it back. */
  function card(desk, photo, { changed }) {
    const text = Tablet.identifiers.kept(desk, {
      draft: `caption:${photo.uuid}`, reads: () => ({ text: photo.caption || "" }), label: "Caption", placeholder: "What does it show?", single: true,
      keep: async (caption) => {
        await Tablet.journal.caption(photo.uuid, caption || "");
        photo.caption = caption || "";
        const shown = place.querySelector("img");
        if (shown) shown.alt = photo.caption || "Photo without a caption";
      },
    });
    const [kind, words, sign] = STATES[photo.state] || STATES.waiting;
    const bound = h("span", { class: "num" }, (photo.about || []).join(", ") || "the site");
    const details = h("details", { class: "more photo__bind", on: { toggle: () => {
      if (!details.open || details.querySelector(".picker")) return;
      const first = desk.elements.get((photo.about || [])[0]);
      details.append(Tablet.picker.picker(desk.pack, photo.about || [], {
        legend: "What the photo shows", open: first ? first.domain.number : undefined,
        changed: async (about) => {
          try {
            await Tablet.journal.bind(photo.uuid, about);
            photo.about = about;
            desk.placePhoto(photo);
            bound.textContent = about.join(", ") || "the site";
          } catch (error) { Tablet.app.failed(error); }
        },
      }).place);
    } } }, h("summary", {}, "Belongs to\u00a0", bound));
    const place = h("figure", { class: "photo", data: { photo: photo.uuid, state: photo.state } },
      picture(photo),
      h("figcaption", { class: "photo__words" },
        text.place,
        h("p", { class: "photo__state" }, badge(kind, words, sign), " ", h("span", { class: "muted" }, bytes(photo.size || 0)), photo.reason && photo.state === "rejected" ? h("span", { class: "item__lacks" }, photo.reason) : null),
        details,
        photo.state === "sent" ? null : twice("Remove", {
          question: "Remove this photo? It stays in the journal of this tablet as discarded and is not sent.", yes: "Remove the photo", danger: true, kind: "quiet",
          also: `the photo ${photo.caption || "without a caption"}`,
          ask: why,
          act: async (asked) => {
            const reason = saidWhy(asked);
            if (!reason) return false;
            try {
              await Tablet.journal.discard({ photo: photo.uuid }, reason);
              photo.state = "discarded";
              desk.placePhoto(photo);
              changed();
            } catch (error) { Tablet.app.failed(error); }
            return true;
          },
        })));
    return place;
  }

  Tablet.photos = { taker, picture, card, STATES };
})();
