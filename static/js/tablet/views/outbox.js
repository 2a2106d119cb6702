/* What has not been sent: each entry can be opened, corrected, saved to a file or discarded; what was sent today stands below. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, badge, button, linkButton, card, empty, count, moment, twice, why, saidWhy, textArea, tiles, notice, bytes } = Tablet.dom;
  const PAGE = 60;
  const TEXTS = ["note", "na_reason", "strength", "recommendation", "standard_note", "site_note", "remote_interview"];

  const where = (desk, op) => [op.element || "", (desk.site(op.site) || {}).name].filter(Boolean).join(" · ");
  function address(desk, op) {
    const code = desk.codeOf(op.element);
    const entry = desk.elements.get(op.element || "");
    if (code) return `#/${desk.survey}/${op.site}/${code}${entry ? `/${entry.element.letter}` : ""}`;
    if (op.field.startsWith("note:")) return `#/${desk.survey}/notes/${op.field.slice(5)}`;
    if (op.field.startsWith("signature:")) return `#/${desk.survey}/finish`;
    return `#/${desk.survey}`;
  }

  function correcting(desk, op, again) {
    const put = async (value) => {
      try {
        await Tablet.journal.correct(op.op, value);
        Tablet.app.said("Corrected. The old entry stays in the journal as replaced.");
        again();
      } catch (error) { Tablet.app.failed(error); }
    };
    if (op.field === "rating") return tiles(`Correct the rating of ${op.element}`, "radio", Object.entries(Tablet.declared.RATINGS), new Set([op.value]), put, { row: true });
    if (TEXTS.includes(op.field)) {
      const area = textArea({ "aria-label": `Correct the text on ${op.element || "the site"}` });
      area.value = op.value || "";
      const warn = h("div", {});
      let allowed = false;
      const save = () => {
        const matches = Tablet.identifiers.found(desk.pack, area.value);
        if (matches.length && !allowed) return warn.replaceChildren(Tablet.identifiers.warning(matches, { change: () => area.focus(), keep: () => { allowed = true; save(); } }));
        return put(area.value.trim() || null);
      };
      return h("div", { class: "stack" }, area, warn, h("div", { class: "form-actions" }, button("Save the correction", save)));
    }
    return null;
  }

  function entry(desk, op, again) {
    const rejected = op.state === "rejected";
    const words = Tablet.declared.valueWords(desk.pack, op.field, op.value);
    const inner = h("div", { class: "outbox__inner" });
    const details = h("details", { class: "outbox__entry", data: { op: op.op }, on: { toggle: () => {
      if (!details.open || inner.childElementCount) return;
      inner.append(
        rejected ? notice("late", "The server refused this", h("p", {}, op.reason || "It did not say why.")) : "",
        h("p", { class: "said" }, words),
        h("p", { class: "muted" }, `Entered ${moment(op.at, desk.zone, false)} by ${op.by_name}${op.tries ? `, tried ${count(op.tries, "time")}` : ""}.`),
        correcting(desk, op, again) || "",
        h("div", { class: "form-actions" },
          linkButton("Open where it was entered", address(desk, op)),
          rejected ? button("Send it again as it is", async () => { await Tablet.journal.retry(op.op); again(); }) : "",
          button("Save this entry to a file", () => Tablet.backup.save(desk.survey, { ops: [op.op], photos: [] }).catch(Tablet.app.failed), { kind: "quiet", mark: "download" }),
          twice("Discard", {
            question: "Discard this entry? It is not sent; it stays in the journal of this tablet as discarded.", yes: "Discard the entry", danger: true, kind: "quiet", ask: why,
            act: async (asked) => {
              const reason = saidWhy(asked);
              if (!reason) return false;
              try {
                await Tablet.journal.discard({ op: op.op }, reason);
                again();
              } catch (error) { Tablet.app.failed(error); }
              return true;
            },
          })));
    } } },
    h("summary", {}, h("span", { class: "outbox__what" }, h("strong", {}, Tablet.declared.fieldWords(op.field)), " ", h("span", { class: "muted num" }, where(desk, op))), h("span", { class: "outbox__value" }, words), badge(rejected ? "late" : "due", rejected ? "Refused" : "Waits", rejected ? "alert" : null), h("time", { class: "muted num", datetime: op.at }, moment(op.at, desk.zone))),
    inner);
    return h("li", {}, details);
  }

  function photoEntry(desk, photo, again) {
    const [kind, words, sign] = Tablet.photos.STATES[photo.state];
    return h("li", { class: "outbox__photo" },
      Tablet.photos.picture(photo, "outbox__picture"),
      h("div", { class: "outbox__photo-words" },
        h("p", {}, h("strong", {}, photo.caption || "Photo without a caption"), " ", badge(kind, words, sign)),
        h("p", { class: "muted num" }, [(photo.about || []).join(", "), (desk.site(photo.site) || {}).name, bytes(photo.size), photo.offset && photo.state === "waiting" && `${Math.round((photo.offset / photo.size) * 100)} % there`, moment(photo.at, desk.zone)].filter(Boolean).join(" · ")),
        photo.state === "rejected" ? h("p", { class: "item__lacks" }, photo.reason || "The server refused it.") : null,
        h("div", { class: "form-actions" },
          photo.about && photo.about.length ? linkButton("Open", address(desk, { ...photo, element: photo.about[0], field: "attachment:" }), { kind: "quiet" }) : null,
          photo.state === "rejected" ? button("Send it again", async () => { await Tablet.journal.retry(photo.uuid); again(); }, { kind: "quiet" }) : null,
          button("Save to a file", () => Tablet.dom.download(photo.blob, `photo-${photo.uuid.slice(0, 8)}.jpg`), { kind: "quiet", mark: "download", also: `: ${photo.caption || "photo without a caption"}` }),
          twice("Discard", {
            question: "Discard this photo? It is not sent; it stays in the journal of this tablet as discarded.", yes: "Discard the photo", danger: true, kind: "quiet", ask: why,
            act: async (asked) => {
              const reason = saidWhy(asked);
              if (!reason) return false;
              try {
                await Tablet.journal.discard({ photo: photo.uuid }, reason);
                await Tablet.desk.changed({ photos: true });
                again();
              } catch (error) { Tablet.app.failed(error); }
              return true;
            },
          }))));
  }

  /** Texts that are on this tablet only, each with the way to it and a way to be rid of it. */
  function heldBack(desk, held, again) {
    const where = (key) => {
      if (key.startsWith("note:")) return [`A note: ${String(desk.drafts[key].text || "").slice(0, 60) || "no text yet"}`, `#/${desk.survey}/notes/${key.slice(5)}`];
      if (key.startsWith("caption:")) return ["Caption of a photo", null];
      const [site, about, name] = key.split("|");
      return [`${about || (desk.site(site) || {}).name} · ${Tablet.declared.fieldWords(name)}`, address(desk, { site: Number(site), element: about, field: name })];
    };
    return notice("due", `${count(held.length, "text")} held back`, h("p", {}, "Each may name a patient or is not finished. It waits on this tablet until you change, confirm or save it, and is in the backup file."), h("ul", { class: "plain-list" }, held.map(([key]) => {
      const [words, href] = where(key);
      return h("li", {}, href ? h("a", { class: "tablet-link", href }, words) : words, " ", twice("Discard", {
        question: "Discard this text? It was never sent.", yes: "Discard the text", danger: true, kind: "quiet", also: words,
        act: async () => {
          await desk.keepDraft(key, null);
          again();
        },
      }));
    })));
  }

  function listOf(items, draw) {
    const list = h("ul", { class: "rows outbox" });
    const more = button("", () => fill(), { kind: "quiet" });
    let at = 0;
    const fill = () => {
      for (const one of items.slice(at, at + PAGE)) list.append(draw(one));
      at += PAGE;
      more.hidden = at >= items.length;
      more.textContent = `Show ${Math.min(PAGE, items.length - at)} more of ${items.length}`;
    };
    fill();
    return [list, more];
  }

  async function show(desk) {
    const top = Tablet.frame.header(desk, {});
    const place = h("div", { class: "stack-l" });
    const busy = h("p", { class: "muted", role: "status" });
    const draw = async () => {
      const [ops, waiting, sent] = await Promise.all([Tablet.store.ops(desk.survey, { state: ["waiting", "rejected"] }), Tablet.store.photos(desk.survey, { state: ["waiting", "rejected"] }), Tablet.store.ops(desk.survey, { state: "sent" })]);
      const again = () => draw().catch(Tablet.app.failed);
      const photoOps = new Set(waiting.map((photo) => `attachment:${photo.uuid}`));
      const refused = ops.filter((op) => op.state === "rejected");
      const others = ops.filter((op) => op.state !== "rejected" && !photoOps.has(op.field));
      const day = new Date().toDateString();
      const today = sent.filter((op) => new Date(op.at).toDateString() === day).reverse();
      const held = Object.entries(desk.drafts);
      const nothing = !ops.length && !waiting.length && !held.length;
      place.replaceChildren(...[
        refused.length ? card(`Refused ${refused.length}`, listOf(refused, (op) => entry(desk, op, again))) : null,
        held.length ? heldBack(desk, held, again) : null,
        others.length ? card(`Answers ${others.length}`, listOf(others, (op) => entry(desk, op, again))) : null,
        waiting.length ? card(`Photos ${waiting.length}`, listOf(waiting, (photo) => photoEntry(desk, photo, again))) : null,
        nothing ? h("div", { class: "card" }, empty("Everything is sent", "What you enter appears here until the server has confirmed it.")) : null,
        today.length ? h("details", { class: "card outbox__sent" }, h("summary", {}, h("h2", { class: "card__title" }, `Sent today ${today.length}`)), listOf(today, (op) => h("li", { class: "outbox__done" }, h("strong", {}, Tablet.declared.fieldWords(op.field)), " ", h("span", { class: "muted num" }, where(desk, op)), " ", h("span", {}, Tablet.declared.valueWords(desk.pack, op.field, op.value)), " ", op.status === "late" ? badge("due", "Late", null) : op.status === "conflict" ? badge("late", "In conflict", "alert") : null, h("time", { class: "muted num", datetime: op.at }, moment(op.at, desk.zone))))) : null,
      ].filter(Boolean));
      save.hidden = nothing;
      signIn.hidden = (Tablet.sender.state() || {}).problem !== "signed_out";
    };
    const now = button("Send now", async () => {
      now.setAttribute("aria-busy", "true");
      busy.textContent = "Sending…";
      await Tablet.sender.now();
      now.removeAttribute("aria-busy");
      busy.textContent = "";
      await draw();
    }, { kind: "filled", mark: "upload" });
    const save = button("Save a backup file", async () => {
      try {
        const made = await Tablet.backup.save(desk.survey);
        Tablet.app.said(`Backup file with ${count(made.answers, "answer")} and ${count(made.photos, "photo")}${made.drafts ? ` and ${count(made.drafts, "draft")}` : ""} (${bytes(made.size)}). Give it to the program if this tablet fails.`);
      } catch (error) { Tablet.app.failed(error, "The backup file was not made. "); }
    }, { kind: "outline", mark: "download" });
    const signIn = linkButton("Sign in to send", Tablet.sender.signInAddress(desk.survey), { kind: "outline" });
    await draw();
    // While entries go out one batch after the other the list is redrawn at rest, and never under an open entry.
    let timer = 0;
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (place.querySelector("details.outbox__entry[open], .twice__box")) soon();
        else draw().catch(Tablet.app.failed);
      }, 500);
    };
    Tablet.events.addEventListener("state", soon);
    Tablet.app.onLeave(() => {
      clearTimeout(timer);
      Tablet.events.removeEventListener("state", soon);
    });
    return {
      title: "What has not been sent",
      parts: [top.head, h("main", { id: "main", class: "page tablet-main", tabindex: "-1" }, Tablet.frame.page("What has not been sent", Tablet.frame.places(desk, "outbox"),
        h("p", { class: "tablet-long", data: { lineLong: "" } }, Tablet.line.words(Tablet.line.state(), desk.zone).long),
        h("div", { class: "form-actions" }, now, save, signIn), busy, place))],
    };
  }

  Tablet.outbox = { show, address };
})();
