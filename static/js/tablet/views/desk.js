/* The survey that is open, in memory: what every screen reads. An answer changes one entry and the sums it is part of, never the whole. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const keyOf = (site, about, field) => `${site}|${about || ""}|${field}`;

  class Desk {
    constructor(taken, answers, conflicts, photos) {
      this.taken = taken;
      this.pack = taken.pack;
      this.survey = taken.survey;
      this.zone = this.pack.survey.zone;
      this.sites = this.pack.sites.filter((site) => site.visited !== false);
      this.allSites = this.pack.sites;
      this.standards = new Map();
      this.elements = new Map();
      for (const domain of this.pack.domains) {
        for (const standard of domain.standards) {
          this.standards.set(standard.code, { standard, domain, mini: { ...this.pack, domains: [{ ...domain, standards: [standard] }] } });
          for (const element of standard.elements) this.elements.set(element.id, { element, standard, domain });
        }
      }
      this.codes = Array.from(this.standards.keys());
      this.listeners = new Set();
      this.drafts = {};
      this.fill(answers, conflicts, photos);
    }

    /** Take in what the store holds; everything that is counted is counted anew. */
    fill(answers, conflicts, photos) {
      this.answers = new Map();
      this.byPlace = new Map();
      for (const answer of answers) this.put(answer);
      this.takeConflicts(conflicts);
      this.takePhotos(photos);
      this.marks = new Map();
      this.sums = new Map();
      for (const site of this.sites) {
        this.sums.set(site.id, { elements: 0, answered: 0, notMet: 0 });
        for (const code of this.codes) this.judge(site.id, code);
      }
      this.gaps = null;
      this.gapCount = 0;
    }

    put(answer) {
      const about = answer.element || "";
      this.answers.set(keyOf(answer.site, about, answer.field), answer);
      // What is said of one standard or element of a site, found without looking through the rest.
      const entry = this.elements.get(about);
      const place = `${answer.site}|${entry ? entry.standard.code : about}`;
      if (!this.byPlace.has(place)) this.byPlace.set(place, new Map());
      this.byPlace.get(place).set(`${about}|${answer.field}`, answer);
    }

    takeConflicts(conflicts) {
      this.conflicts = conflicts;
      this.conflictByKey = new Map(conflicts.map((one) => [keyOf(one.site, one.element, one.field), one]));
    }

    takePhotos(photos) {
      this.photos = new Map(photos.map((photo) => [photo.uuid, photo]));
      this.photosByPlace = new Map();
      for (const photo of photos) this.placePhoto(photo);
    }

    placePhoto(photo) {
      this.photos.set(photo.uuid, photo);
      for (const list of this.photosByPlace.values()) list.delete(photo.uuid);
      if (photo.state === "discarded") return;
      for (const about of photo.about && photo.about.length ? photo.about : [""]) {
        const place = `${photo.site}|${about}`;
        if (!this.photosByPlace.has(place)) this.photosByPlace.set(place, new Set());
        this.photosByPlace.get(place).add(photo.uuid);
      }
    }

    photosAbout(site, about) {
      return Array.from(this.photosByPlace.get(`${site}|${about}`) || [], (uuid) => this.photos.get(uuid));
    }

    site(id) { return this.allSites.find((site) => site.id === Number(id)); }
    answer(site, about, field) { return this.answers.get(keyOf(site, about, field)); }
    value(site, about, field) {
      const found = this.answer(site, about, field);
      return found ? found.value : null;
    }
    /** The seq of the value in sight, of a conflict the newest of its values; null when none is. What is entered now was entered in sight of it. */
    seen(site, about, field) {
      const clash = this.conflict(site, about, field);
      const answer = this.answer(site, about, field);
      const seq = answer && answer.seq !== null ? answer.seq : null;
      return clash ? Math.max(...clash.values.map((one) => one.seq), seq || 0) : seq;
    }
    conflict(site, about, field) { return this.conflictByKey.get(keyOf(site, about, field)); }
    answersOf(site, code) { return Array.from((this.byPlace.get(`${site}|${code}`) || new Map()).values()); }

    /** What one standard at one site comes to; its share in the sums is replaced. */
    judge(site, code) {
      const { standard } = this.standards.get(code);
      const said = { answered: 0, no: 0, na: 0, conflict: 0, elements: standard.elements.length };
      for (const element of standard.elements) {
        const rating = this.value(site, element.id, "rating");
        if (this.conflictByKey.has(keyOf(site, element.id, "rating"))) said.conflict += 1;
        if (rating) said.answered += 1;
        if (rating === "no") said.no += 1;
        if (rating === "na") said.na += 1;
      }
      const key = `${site}|${code}`;
      const before = this.marks.get(key);
      const sums = this.sums.get(site);
      if (!sums) return;
      if (before) {
        sums.answered -= before.answered;
        sums.notMet -= before.no;
      } else sums.elements += said.elements;
      sums.answered += said.answered;
      sums.notMet += said.no;
      this.marks.set(key, said);
    }

    /** One word for a standard at a site: met, not_met, not_applicable, not_assessed, lacking, conflict. */
    mark(site, code) {
      const entry = this.standards.get(code);
      return entry ? Tablet.rules.mark(this.pack, entry.standard, this.answersOf(site, code), this.conflictsOf(site, code), Number(site)) : "not_assessed";
    }

    conflictsOf(site, code) {
      if (!this.conflicts.length) return [];
      return this.conflicts.filter((one) => one.site === Number(site) && (one.element === code || (this.elements.get(one.element) || { standard: {} }).standard.code === code));
    }

    /** What is still missing at one standard, by the same rules as the server's. */
    gapsOf(site, code) {
      const entry = this.standards.get(code);
      return entry ? Tablet.rules.gaps(entry.mini, this.answersOf(site, code), this.conflictsOf(site, code), Number(site)) : [];
    }

    /** What is missing in the whole survey; counted once, then kept by each change. */
    countGaps() {
      if (this.gaps) return this.gapCount;
      this.gaps = new Map();
      for (const gap of Tablet.rules.gaps(this.pack, Array.from(this.answers.values()), this.conflicts)) {
        const key = `${gap.site}|${gap.standard}`;
        if (!this.gaps.has(key)) this.gaps.set(key, []);
        this.gaps.get(key).push(gap);
      }
      this.gapCount = 0;
      for (const list of this.gaps.values()) this.gapCount += list.length;
      return this.gapCount;
    }

    allGaps() {
      this.countGaps();
      return Array.from(this.gaps.values()).flat();
    }

    regap(site, code) {
      if (!this.gaps || !this.standards.has(code)) return;
      const key = `${site}|${code}`;
      const now = this.gapsOf(site, code);
      this.gapCount += now.length - (this.gaps.get(key) || []).length;
      this.gaps.set(key, now);
    }

    /** Believe one answer, and tell the screen that shows it. */
    believe(answer) {
      // The journal says so itself as well; what came that way is not taken in twice.
      if (this.answer(answer.site, answer.element, answer.field) === answer) return;
      this.put(answer);
      const code = this.codeOf(answer.element);
      if (code) {
        this.judge(answer.site, code);
        this.regap(answer.site, code);
      }
      this.tell({ answers: [answer] });
    }

    /** The standard that an element or a standard's own code belongs to; null for the site as a whole. */
    codeOf(about) {
      const entry = this.elements.get(about || "");
      return entry ? entry.standard.code : this.standards.has(about) ? about : null;
    }

    /** Write one answer into the journal; only when it is kept does this resolve. `base`: what was in sight, if not what is now; `draft`: what this ends. */
    async record(site, about, field, value, { base = this.seen(site, about, field), draft = null } = {}) {
      const kept = await Tablet.journal.record(this.survey, { site: Number(site), element: about || null, field, value, base, draft });
      if (draft) delete this.drafts[draft];
      this.believe(kept.answer);
      return kept;
    }

    /** Write several answers as one; all are kept, or none. */
    async recordMany(entries) {
      const kept = await Tablet.journal.recordMany(this.survey, entries.map((one) => ({ ...one, element: one.element || null, base: this.seen(one.site, one.element, one.field) })));
      for (const one of kept) this.believe(one.answer);
      return kept;
    }

    /** What is typed and must not be sent as it is, or is not finished; kept on the tablet only (see drafts.js). */
    draft(key) { return this.drafts[key]; }
    async keepDraft(key, value) {
      if (value === null || value === undefined) {
        if (!(key in this.drafts)) return;
        delete this.drafts[key];
      } else this.drafts[key] = value;
      await Tablet.drafts.keep(this.survey, key, value);
    }
    /** Another tab kept or ended a draft. */
    takeDraft(key, value) {
      if (value === null || value === undefined) delete this.drafts[key];
      else this.drafts[key] = value;
    }

    /** Photos that the journal of answers names for a place, those of other tablets too: [{uuid, caption, by}]. */
    attachments(site, about) {
      const code = this.codeOf(about) || "";
      return this.answersOf(site, code).filter((one) => one.field.startsWith("attachment:") && one.element === about && one.value).map((one) => ({ uuid: one.field.slice(11), caption: one.value.caption, by: one.by }));
    }

    tell(what) { for (const run of this.listeners) run(what); }
    listen(run) {
      this.listeners.add(run);
      return () => this.listeners.delete(run);
    }

    /** Notes of the whole survey, newest first. */
    notes() {
      const found = [];
      for (const answer of this.answers.values()) {
        if (answer.field.startsWith("note:") && answer.value) found.push({ uuid: answer.field.slice(5), answer, ...answer.value });
      }
      return found.sort((a, b) => String(b.answer.at).localeCompare(String(a.answer.at)));
    }
  }

  let current = null;
  let stale = false;
  const shelf = (survey) => Promise.all([Tablet.store.answers(survey), Tablet.store.conflicts(survey), Tablet.store.photos(survey)]);

  /** Return the desk of a survey taken on this tablet, null when it was not taken. After `forget` it is laid out anew: there is a newer pack. */
  async function open(survey) {
    if (current && current.survey === survey && !stale) return current;
    stale = false;
    const taken = await Tablet.store.pack(survey);
    if (!taken) return null;
    const made = new Desk(taken, ...(await shelf(survey)));
    made.drafts = await Tablet.drafts.of(survey);
    current = made;
    return made;
  }

  /** Take in what changed elsewhere: these answers, or all that the store holds. */
  async function changed({ answers = [], conflicts = false, photos = false }) {
    const desk = current;
    if (!desk) return;
    if (!answers.length && !conflicts && !photos) {
      const counted = desk.gaps !== null;
      desk.fill(...(await shelf(desk.survey)));
      if (counted) desk.countGaps();
      desk.tell({ all: true, answers: [], conflicts: true, photos: true });
      return;
    }
    const touched = new Set();
    if (conflicts) {
      const before = desk.conflicts;
      desk.takeConflicts(await Tablet.store.conflicts(desk.survey));
      for (const one of [...before, ...desk.conflicts]) touched.add(`${one.site}|${desk.codeOf(one.element)}`);
    }
    if (photos) desk.takePhotos(await Tablet.store.photos(desk.survey));
    for (const answer of answers) {
      desk.put(answer);
      touched.add(`${answer.site}|${desk.codeOf(answer.element)}`);
    }
    for (const place of touched) {
      const [site, code] = [Number(place.slice(0, place.indexOf("|"))), place.slice(place.indexOf("|") + 1)];
      if (!desk.standards.has(code)) {
        desk.gaps = null; // of a site as a whole: what is missing is counted anew when it is asked for
        continue;
      }
      desk.judge(site, code);
      desk.regap(site, code);
    }
    desk.tell({ answers, conflicts, photos });
  }

  Tablet.desk = { open, changed, current: () => current, forget: () => { stale = true; } };
})();
