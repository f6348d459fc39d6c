// Messages of wellsentry, contract version 1.0.0. `wellsentry schema` makes this from the models in schemas/.

/** A moment: ISO 8601 in UTC, as 2026-11-24T02:44:10.000Z. */
export type Moment = string;

/** Who put a model in force that was fitted earlier, when and why. The registry keeps it beside the model's entries. */
export interface Activation {
  /** The model that was put in force. */
  digest: string;
  /** Its entry in the registry. */
  manifest: string;
  /** Who did it. */
  by: string;
  /** Why, in their words. */
  why: string;
  /** When. */
  at: Moment;
  /** Whether it stays in force whatever is refitted; else the next refit replaces it. */
  pinned: boolean;
  /** The model that was in force before; null where none was published. */
  replaces: string | null;
}

/** What is rolled out. */
export interface Artifact {
  kind: "wheel" | "image";
  /** A wheel's file name, or an image's name. */
  name: string;
  /** Of the wheel's bytes, or the image's digest as the image registry knows it. */
  sha256: string;
}

/** Where labels begin to be others than those of `old`. */
export interface Bisection {
  between: "models" | "commits";
  old: string;
  new: string;
  /** How many models or commits lie from old to new, both included. */
  candidates: number;
  /** Those by which was replayed, in this order. */
  tried: Array<string>;
  /** The first one with other labels; null if even new has the same. */
  first: string | null;
  /** The one before it, whose labels are those of old. */
  before: string | null;
  /** What is known of the first one, in words. */
  about: string | null;
  /** Labels of old beside those of the first one. */
  comparison: Comparison | null;
}

/** `case.json`. All paths are relative to its directory. */
export interface Case {
  /** Of this layout. */
  version?: 1;
  label_id: string;
  client_id: string;
  machine_id: string;
  stack: string;
  /** Where the label was found. */
  found_in: "topic" | "table" | "file";
  /** Path: the label as it was given. */
  label: string;
  /** Path: labels of the machine that were given then, one a line. */
  labels: string;
  /** Path: the same, made again; empty where that was not possible. */
  again: string;
  /** Path: the machine's messages, one a line. */
  readings: string;
  models: Array<CaseModel>;
  /** Path: the machine's state to begin with; null: from the oldest reading. */
  snapshot: string | null;
  snapshot_offset: number | null;
  /** The registry's manifest beside which it was kept. */
  snapshot_from: string | null;
  /** Path: PNG. */
  picture: string;
  /** Path: one HTML file. */
  page: string;
  /** Path: the code that draws the picture; it needs matplotlib and this directory alone. */
  plot: string;
  /** Least and largest of the medians that the label's model was fitted to. */
  fitted_to: [number, number] | null;
  /** The stack's threshold; null where this version has no such stack. */
  anomalous_at: number | null;
  /** Longer messages were no readings. */
  message_bytes: number;
  /** What was no longer there, in sentences. */
  missing: Array<string>;
  /** That made the label. */
  code_version: string;
  /** That made the label. */
  git_commit: string;
  /** What came of it when the case was saved. */
  reproduction: Reproduction;
  /** Path of every other file, and its SHA-256. */
  files: Record<string, string>;
}

/** A model that was in force. */
export interface CaseModel {
  path: string;
  /** `*` for the client's fleet. */
  machine_id: string;
  digest: string;
  /** From which offset on; null: as the snapshot says. */
  since_offset: number | null;
  /** Where the registry has everything about it. */
  manifest: string;
}

/** A label that is another now. */
export interface Change {
  label_id: string;
  client_id: string;
  machine_id: string;
  stack: string;
  event_time: Moment;
  /** Difference of the surprises, and 100 more where the verdict is another. */
  size: number;
  /** The fields that differ. */
  fields: Record<string, FieldChange>;
}

/** All of it: `labels_then` = identical + only_ignored + changed + missing, `labels_now` the same with new. */
export interface Comparison {
  labels_then: number;
  labels_now: number;
  /** The same to the letter. */
  identical: number;
  /** The same but for fields that are ignored: another model that says the same. */
  only_ignored: number;
  changed: number;
  /** Given then and not made now. */
  missing: number;
  /** Made now and not given then. */
  new: number;
  /** Fields in which labels may differ without counting as changed. */
  ignored: Array<string>;
  /** By field: in how many labels it differs. */
  fields: Record<string, number>;
  /** Of changed labels: how many, by verdict then and now. */
  verdicts: Record<string, number>;
  /** Machines with differences, the most first. */
  machines: Array<MachineChange>;
  /** The largest changes, the largest first. */
  largest: Array<Change>;
}

/** Two signals of one machine. */
export interface Correlation {
  first: string;
  second: string;
  /** In which both are there. */
  readings: number;
  pearson: number | null;
  spearman: number | null;
  /** When they agree best; above 0: the second follows the first. */
  lag_s: number | null;
  /** Pearson's correlation at this lag. */
  at_lag: number | null;
}

/** Cycles of a plunger, of heading or slugging: from one rise of the signal to the next. */
export interface Cycles {
  signal: string;
  count: number;
  median_min: number;
  p10_min: number;
  p90_min: number;
  /** Cycles in a day at the median length. */
  a_day: number;
  longest: Stretch;
  /** Of the cycles in their order, at most 500 evenly chosen. */
  lengths_min: Array<number>;
}

/** How much the hour of the day (UTC) says about a signal. */
export interface Daily {
  days: number;
  /** Share of the movement within days that every day repeats; 0: by chance. */
  strength: number;
  /** 24 numbers: mean distance from the day's own mean. */
  by_hour: Array<number | null>;
  /** Highest less lowest hour. */
  amplitude: number;
  /** The highest hour, UTC. */
  peak_hour: number;
}

/** A field of the label that came out otherwise. */
export interface Difference {
  field: string;
  /** As the label has it. */
  then: unknown;
  /** As it came out. */
  now: unknown;
}

/** How a signal's values lie. */
export interface Distribution {
  mean: number;
  standard_deviation: number;
  minimum: number;
  p1: number;
  p5: number;
  p25: number;
  median: number;
  p75: number;
  p95: number;
  p99: number;
  maximum: number;
  /** How many different values. */
  distinct: number;
  /** Smallest difference between two of them. */
  step: number;
  zero_share: number;
  /** Above 2 with values above 0: look at the logarithm. Null: never moves. */
  skewness: number | null;
  histogram: Histogram;
}

/** All that was found. */
export interface Exploration {
  /** Of this layout. */
  version?: 1;
  code_version: string;
  git_commit: string;
  /** Where the readings come from. */
  source: string;
  machines: Array<MachineExploration>;
  units: Array<UnitSuspicion>;
  families: Array<Family>;
  /** The most important first. */
  findings: Array<Finding>;
}

/** Machines that resemble each other. */
export interface Family {
  number: number;
  machines: Array<string>;
  /** The one nearest to all others. */
  typical: string;
  /** Median of the machines' medians, by signal. */
  medians: Record<string, number>;
}

/** A detector of one feature, compiled to a look-up. Interval `i` holds the values `edges[i-1] < float32(x) <= edges[i]`; the last one has no upper end. */
export interface FeatureModel {
  feature: string;
  /** Upper ends of all intervals but the last, rising, exact in float32. */
  edges: Array<number>;
  /** Raw score in each interval: one more than edges. */
  scores: Array<number>;
  /** Surprise in each interval: one more than edges. */
  surprises: Array<number>;
  /** Usual values of the median lie between this ... */
  expected_low: number;
  /** ... and this. */
  expected_high: number;
}

/** What a person said. Key: `machine_id`. */
export interface Feedback {
  /** The same on every try of sending it. */
  feedback_id: string;
  client_id: string;
  machine_id: string;
  /** The stack it is about; null where it is about the machine. */
  stack: string | null;
  /** The incident; null where it is about the machine. */
  incident_id: string | null;
  kind: "confirm" | "false_alarm" | "comment" | "acknowledge" | "shelve" | "undo";
  /** Who said it. */
  by: string;
  /** When. */
  at: Moment;
  /** In their words. */
  text?: string | null;
  /** Event time at which the stretch begins. */
  from_time?: Moment | null;
  /** Its last; null where it goes on still. */
  to_time?: Moment | null;
  /** shelve: quiet up to then. */
  until?: Moment | null;
  /** undo: the `feedback_id` that counts no more. */
  undoes?: string | null;
}

/** One field of a label, then and now. */
export interface FieldChange {
  then: unknown;
  now: unknown;
}

/** A sentence for the domain expert, and what to ask. */
export interface Finding {
  kind: "size" | "sampling" | "gap" | "missing" | "frozen" | "straight" | "unit" | "load" | "cycles" | "daily" | "correlation" | "transform" | "strange" | "family" | "order";
  /** Null: of all. */
  machine: string | null;
  sentence: string;
  /** What the expert may know. */
  question: string | null;
  /** The heavier, the earlier it is told. */
  weight: number;
}

/** A signal that stands still for longer than is its way. */
export interface FrozenStretch {
  start: Moment;
  end: Moment;
  /** Readings in it; of a gap, how many are missing. */
  readings: number;
  value: number;
  /** False: nothing moved; then it may be the well, or the line, that stands still. */
  others_moved: boolean;
}

/** Stretches without any reading. */
export interface Gaps {
  count: number;
  total_s: number;
  /** The longest, longest first. */
  longest: Array<Stretch>;
}

/** What a person said, and training went by. */
export interface HeededFeedback {
  feedback_id: string;
  /** confirm: left out of the history; false_alarm: in it. */
  kind: "confirm" | "false_alarm";
  /** Who said it. */
  by: string;
  /** Of the first reading of the history that it decides. */
  from_time: Moment;
  /** Of the last one. */
  to_time: Moment;
  /** How many it decides. */
  readings: number;
}

/** Counts between edges; what lies outside is counted beside them. */
export interface Histogram {
  edges: Array<number>;
  /** One fewer than edges. */
  counts: Array<number>;
  below: number;
  above: number;
}

/** Sent when an alert opens and again, with the same `incident_id`, when it closes. Key: `machine_id`. */
export interface Incident {
  /** `<label_id of the label that opened it>` with `inc-` before it. */
  incident_id: string;
  state: "opened" | "closed";
  client_id: string;
  machine_id: string;
  stack: string;
  /** Event time of the label that opened it. */
  opened_at: Moment;
  /** Event time of the label that closed it; null while it is open. */
  closed_at: Moment | null;
  /** The label that caused this message. */
  label_id: string;
  feature: string;
  /** Whether the peak lies above or below what is usual. */
  direction: "high" | "low";
  /** The scored median at the peak. */
  actual: number | null;
  expected_low: number | null;
  expected_high: number | null;
  /** Highest surprise so far. */
  peak_surprise: number;
  /** Event time of that peak. */
  peak_at: Moment;
  /** Labelled readings since it opened. */
  readings: number;
  model_digest: string | null;
  model_rung: "own" | "fleet" | "online" | null;
  code_version: string;
  git_commit: string;
}

/** One incident, opened or closed. Its `webhook-id` is made of its `incident_id` and state: the same on every try. */
export interface IncidentNotice {
  /** incident.example: sent by hand, to try a target out. */
  type: "incident.opened" | "incident.closed" | "incident.example";
  /** Event time at which that happened. */
  timestamp: Moment;
  /** The incident on the dashboard; null where `notifier.dashboard_url` is not set. */
  link: string | null;
  /** As on the topic. */
  data: Incident;
}

/** What one stack thinks of one reading. Key on the topic: `machine_id`. */
export interface Label {
  /** `<stack>-<source partition>-<source offset>-<revision>`; the same on every try. */
  label_id: string;
  client_id: string;
  machine_id: string;
  /** The stack that judged. */
  stack: string;
  /** When the reading was measured. */
  event_time: Moment;
  /** What the stack looked at, pressures in psi. */
  signals: Record<string, number | null>;
  /** The feature that drove the verdict, of those the stack computes. */
  feature: string;
  /** That feature; for the load stack the load in psi. */
  value: number | null;
  /** Rolling median of the feature: the value that is scored. */
  median: number | null;
  /** Lower end of what the model takes as usual for the median. */
  expected_low: number | null;
  /** Upper end of it. */
  expected_high: number | null;
  /** Raw score of the forest or online detector; null where there is none yet. */
  score: number | null;
  /** -log10 of how often a healthy machine gives a value this far out. */
  surprise: number | null;
  /** Where it is anomalous: surprise of each view of the detector, null where the detector has none. */
  views: Record<string, number> | null;
  /** Where it is anomalous: which views drove it, in words. */
  because: string | null;
  label: "normal" | "anomalous" | "unscored";
  /** Why it is unscored; null when it is scored. */
  reason: "warming_up" | "missing_signal" | "bad_quality" | "spike" | "frozen" | "unit_changed" | "stale_pair" | "too_late" | "duplicate" | null;
  alert: "quiet" | "opened" | "open" | "closed";
  /** The open incident this label belongs to. */
  incident_id: string | null;
  /** Name of the detector that scored. */
  detector: string;
  /** SHA-256 prefix of the model that scored; null while there is none. */
  model_digest: string | null;
  /** Whose model it was: its own, the fleet's, or learned online. */
  model_rung: "own" | "fleet" | "online" | null;
  /** First source offset for which that model is in force. */
  model_since_offset: number | null;
  code_version: string;
  git_commit: string;
  source_topic: string;
  source_partition: number;
  source_offset: number;
  /** By tag: offset of the reading that the other signal came with. */
  partner_offset: number | null;
  /** 0 at first, one more each time late data changes it. */
  revision: number;
  /** The `label_id` this one replaces. */
  supersedes: string | null;
}

/** What the load stack thinks: is there more liquid standing in the tubing than usual? */
export interface LoadADOutput {
  /** Whose machine it is. */
  client_id: string;
  /** Which machine. */
  machine_id: string;
  /** Days to look back, at least 1; more than 90 are taken as 90. */
  lookback: number;
  /** Up to when; now where it is not given. With it the same event gives the same answer. */
  to_time?: Moment | null;
  /** no_data: there was no reading to judge. */
  status?: "ok" | "no_data";
  stack?: string;
  /** Readings from here on were asked for, up to `to_time`. */
  from_time: Moment;
  /** -1 anomalous, 1 normal, 0 unscored. */
  labels?: Array<number>;
  /** When each reading was measured. */
  times?: Array<Moment>;
  /** -log10 of how often a healthy machine gives a value this far out; null where unscored. */
  surprises?: Array<number | null>;
  /** Signals that the stack needs and no reading had. */
  missing?: Array<string>;
  /** Alerts that opened. */
  alerts?: number;
  /** The model of the last label; null while there is none. */
  model_digest?: string | null;
  /** Whose model that is. */
  model_rung?: "own" | "fleet" | "online" | null;
  /** Labels that DynamoDB did not hold yet and now does; null where none are written. */
  written?: number | null;
}

/** Which machine, and how far back. */
export interface LookBackEvent {
  /** Whose machine it is. */
  client_id: string;
  /** Which machine. */
  machine_id: string;
  /** Days to look back, at least 1; more than 90 are taken as 90. */
  lookback: number;
  /** Up to when; now where it is not given. With it the same event gives the same answer. */
  to_time?: Moment | null;
}

/** What the model says of the median that the label carries, without any reading. */
export interface LookedUp {
  score: number;
  /** Surprise by the forest alone. */
  forest_surprise: number;
  expected_low: number;
  expected_high: number;
  /** Verdict, by the label's surprise and the threshold. */
  label: "normal" | "anomalous";
  /** Fields of the label that say something else. */
  disagrees: Array<string>;
}

/** How much is different for one machine and stack. */
export interface MachineChange {
  client_id: string;
  machine_id: string;
  stack: string;
  changed: number;
  missing: number;
  new: number;
  /** Event time of the earliest label that is not as it was. */
  first_time: Moment;
  first_label_id: string;
}

/** One machine. */
export interface MachineExploration {
  client_id: string;
  machine_id: string;
  /** Moments with at least one value or mention. */
  readings: number;
  first: Moment;
  last: Moment;
  /** Readings that came again for the same moment. */
  repeated: number;
  /** Readings that came after a newer one. */
  out_of_order: number;
  sampling: Sampling | null;
  gaps: Gaps;
  signals: Array<SignalExploration>;
  correlations: Array<Correlation>;
  /** Of the signal in which they are most regular; null: none found. */
  cycles: Cycles | null;
  strange: Array<Strange>;
  /** Number of its family; null for a machine alone. */
  family?: number | null;
  /** Machines most like it, the nearest first. */
  nearest?: Array<string>;
}

/** `manifest.json` of a registry entry. It is written last: where it is, the entry is complete. */
export interface Manifest {
  /** Of this layout. */
  version?: 1;
  /** Of the model, as on every label it made. */
  digest: string;
  client_id: string;
  /** `*` for the client's fleet. */
  machine_id: string;
  stack: string;
  rung: "own" | "fleet";
  detector: string;
  features: Array<string>;
  fitted_at: Moment;
  reason: "first" | "more_history" | "daily" | "manual" | "feedback";
  /** The training request it answers; null for a fleet's model. */
  request_id: string | null;
  /** SHA-256 of that request, so that it is known when it comes again. */
  request_sha256: string | null;
  /** The model that was in force before. */
  parent_digest: string | null;
  /** How many medians it was fitted to. */
  readings: number;
  /** The readings they come from; null for a fleet's model. */
  source: SourceRange | null;
  /** Stretches of them that were left out. */
  exclusions: Array<[Moment, Moment]>;
  /** What people said that decided which; empty for a fleet's model, whose members name it. */
  feedback?: Array<HeededFeedback>;
  /** For a fleet: its machines, and the model each had. */
  members: Record<string, string>;
  /** For a fleet: the readings that its machines' medians come from. */
  member_sources?: Record<string, SourceRange>;
  /** Of the fit. */
  parameters: Record<string, number>;
  seed: number;
  code_version: string;
  git_commit: string;
  /** Whether that commit is all there was; null where it cannot be known. */
  tree_clean: boolean | null;
  /** Versions of Python and of the libraries that have a say in the result. */
  packages: Record<string, string>;
  /** Offset of the last reading that `state.bin` holds; null where there is none. */
  state_offset?: number | null;
  /** Name of every other file of the entry, and its SHA-256. */
  files: Record<string, string>;
}

/** Readings in which one signal has no usable value. */
export interface Missing {
  count: number;
  share: number;
  /** `empty`, `not_finite`, `out_of_range`, or the sentinel it was. */
  by_cause: Record<string, number>;
  /** The longest stretches, longest first. */
  longest: Array<Stretch>;
}

/** A model that shall be in force from now on. Key: `<client_id>/<machine_id>/<stack>` in the machine's own partition; a fleet's model goes to every partition. A fleet's features are in units of a machine's own spread: `(median - reference) / spread`. */
export interface ModelUpdate {
  /** First 16 hex digits of the SHA-256 of `features` as this JSON has them. */
  digest: string;
  client_id: string;
  /** `*` for the client's fleet. */
  machine_id: string;
  stack: string;
  rung: "own" | "fleet";
  detector: string;
  features: Array<FeatureModel>;
  /** How many medians it was fitted to. */
  readings: number;
  fitted_at: Moment;
  reason: "first" | "more_history" | "daily" | "manual" | "feedback";
  request_id: string | null;
  parent_digest: string | null;
  /** Where the registry keeps everything about it. */
  manifest: string;
  code_version: string;
  git_commit: string;
  /** Who put it in force, where that was not the trainer once it was fitted. */
  activation?: Activation | null;
}

/** One message that is no reading. Key and value are the original bytes (base64 in JSON). */
export interface Rejected {
  /** Stable code for programs. */
  reason: "no_value" | "no_key" | "key_mismatch" | "too_large" | "not_json" | "not_a_reading" | "bad_time" | "unknown_unit" | "too_many_machines";
  /** What was wrong, for people. */
  detail: string;
  source_topic: string;
  source_partition: number;
  source_offset: number;
  /** The record's Kafka timestamp. */
  produced_at?: Moment | null;
  /** The record's key as it came, or its first 1,024 bytes. */
  key?: string | null;
  /** The record's value as it came, or its first `worker.max_message_bytes` bytes. */
  value?: string | null;
}

/** Written by `wellsentry release`, and compared with a running environment by `wellsentry release --check`. */
export interface Release {
  /** Of this file. */
  layout?: 1;
  version: string;
  /** `unknown` where neither git nor the build could tell. */
  git_commit: string;
  /** Whether that commit is all there was; null where it cannot be known. */
  tree_clean: boolean | null;
  made_at: Moment;
  artifacts: Array<Artifact>;
  /** State of another layout is refused: going back over it means to judge anew. */
  state_layout: number;
  /** SHA-256 of each published schema, as `wellsentry schema` writes it. */
  schemas: Record<string, string>;
  python: string;
  /** Version of each package that wellsentry asks for. */
  packages: Record<string, string>;
  /** SHA-256 of each lock file that the environment was made from. */
  locks: Record<string, string>;
}

/** What came of making a label again. */
export interface Reproduction {
  label_id: string;
  outcome: "identical" | "differs" | "looked_up" | "not_judged";
  differences: Array<Difference>;
  /** Sentences for people: why it differs, or could not be made again. */
  why: Array<string>;
  /** Null where the model is gone, or had no say. */
  looked_up: LookedUp | null;
  /** Offset of the state it began with; -1: from the oldest reading. */
  from_offset: number;
  /** Messages that were judged again up to the label's. */
  readings: number;
  /** Of the code that made it again. */
  code_version: string;
  /** Of the code that made it again. */
  git_commit: string;
}

/** How often a machine is measured. */
export interface Sampling {
  /** Median time from one reading to the next. */
  interval_s: number;
  /** 5 % of the times are shorter. */
  shortest_s: number;
  /** 5 % of the times are longer. */
  longest_s: number;
  /** Share of the times within a tenth of the interval. */
  regular_share: number;
  /** Readings there are, of those there would be at this interval without gaps. */
  coverage: number;
}

/** One signal of one machine. */
export interface SignalExploration {
  signal: string;
  /** Usable ones. */
  values: number;
  missing: Missing;
  distribution: Distribution | null;
  /** The longest, longest first. */
  frozen: Array<FrozenStretch>;
  frozen_count: number;
  /** Share of the span in which it is frozen while others move. */
  frozen_share: number;
  /** Null for less than three days. */
  daily: Daily | null;
  /** Share of short stretches that lie on a line, as values do that were made up between two measured ones. */
  straight_share: number | null;
}

/** The readings a model was made from. */
export interface SourceRange {
  topic: string;
  partition: number;
  first_time: Moment;
  last_time: Moment;
  /** No reading in it has a smaller offset; null where that is not known. */
  first_offset?: number | null;
  /** Offset of the newest reading in it. */
  last_offset: number;
}

/** The latest label of one stack, in short. */
export interface StackStatus {
  label_id: string;
  event_time: Moment;
  signals: Record<string, number | null>;
  value: number | null;
  median: number | null;
  surprise: number | null;
  label: "normal" | "anomalous" | "unscored";
  reason: "warming_up" | "missing_signal" | "bad_quality" | "spike" | "frozen" | "unit_changed" | "stale_pair" | "too_late" | "duplicate" | null;
  alert: "quiet" | "opened" | "open" | "closed";
  incident_id: string | null;
  detector: string;
  model_digest: string | null;
  model_rung: "own" | "fleet" | "online" | null;
}

/** The latest of one machine. Key: `<client_id>/<machine_id>`, in the machine's own partition. */
export interface Status {
  client_id: string;
  machine_id: string;
  /** Readings of this machine that were labelled, of its busiest stack. */
  readings: number;
  /** By name of the stack. */
  stacks: Record<string, StackStatus>;
}

/** So many incidents at once that each of them alone would hide the rest. */
export interface Storm {
  /** Incidents that opened. */
  opened: number;
  /** Incidents that closed. */
  closed: number;
  /** How many different machines they are of. */
  machines: number;
  /** Event time of the first of them. */
  first: Moment;
  /** Event time of the last. */
  last: Moment;
  /** Up to twenty machines, the highest surprise first. */
  worst: Array<StormedMachine>;
  /** All of them, in the order of the topic. */
  incident_ids: Array<string>;
}

/** Many incidents in one. Its `webhook-id` follows from what it sums up: the same on every try. */
export interface StormNotice {
  type: "incidents.storm";
  /** Event time of the last of them. */
  timestamp: Moment;
  /** The incidents on the dashboard; null where `notifier.dashboard_url` is not set. */
  link: string | null;
  data: Storm;
}

/** A machine of those that a storm is made of. */
export interface StormedMachine {
  client_id: string;
  machine_id: string;
  /** Highest of its incidents. */
  peak_surprise: number;
}

/** A stretch unlike the rest of its machine. */
export interface Strange {
  client_id: string;
  machine_id: string;
  start: Moment;
  end: Moment;
  /** The signal that is farthest from its usual. */
  signal: string;
  /** What of it is unusual: its median or how much it moves. */
  measure: "level" | "spread";
  value: number;
  usual_low: number;
  usual_high: number;
  /** Distance from the usual in the machine's own spreads. */
  strangeness: number;
}

/** From its first to its last moment. */
export interface Stretch {
  start: Moment;
  end: Moment;
  /** Readings in it; of a gap, how many are missing. */
  readings: number;
}

/** One signal of one moment. */
export interface TagReading {
  /** Whose machine it is. */
  client_id?: string;
  /** Which machine; the Kafka key of the message says the same. */
  machine_id: string;
  /** When it was measured: ISO 8601 (no zone means UTC) or an epoch number. */
  time: Moment | number;
  /** Unit of the pressures; psi when not given. */
  unit?: string | null;
  /** What the sensor's own system thinks of the value. */
  quality?: "good" | "uncertain" | "bad";
  /** The signal's name. */
  tag: string;
  /** Its value; null where the sensor gave none. */
  value: number | null;
}

/** Please fit a model to this machine's history. Key: `machine_id`. */
export interface TrainingRequest {
  /** `<stack>-<source partition>-<source offset>` of the newest reading in it; where feedback made it due, behind it `-<offset>` of that. */
  request_id: string;
  client_id: string;
  machine_id: string;
  stack: string;
  reason: "first" | "more_history" | "daily" | "manual" | "feedback";
  /** Names of the stack's features. */
  features: Array<string>;
  /** For each feature its rolling medians, oldest first; never NaN. */
  medians: Array<Array<number>>;
  /** Readings of this machine so far. */
  readings: number;
  source: SourceRange;
  /** Stretches left out of the history. */
  exclusions: Array<[Moment, Moment]>;
  /** What people said that decided what is left out. */
  feedback?: Array<HeededFeedback>;
  /** The model in force when the request was made. */
  parent_digest: string | null;
  /** Random state of the fit; the same request gives the same model. */
  seed: number;
  /** Snapshot of the machine's state after the reading at `source.last_offset`, base64. */
  state?: string | null;
}

/** A pressure that looks as if it were in another unit than all others, or than before. */
export interface UnitSuspicion {
  client_id: string;
  machine_id: string;
  signal: string;
  /** Values multiplied by this look like the rest. */
  factor: number;
  /** The unit it seems to be in, where the rest ... */
  looks_like: string;
  /** ... is in this one. */
  instead_of: string;
  /** Null: all the time, compared with the other machines. */
  since: Moment | null;
  /** Null: to the end. */
  until: Moment | null;
}

/** All signals of one moment. At the top level or under `signals`; any further number is a further signal. */
export interface WideReading {
  /** Whose machine it is. */
  client_id?: string;
  /** Which machine; the Kafka key of the message says the same. */
  machine_id: string;
  /** When it was measured: ISO 8601 (no zone means UTC) or an epoch number. */
  time: Moment | number;
  /** Unit of the pressures; psi when not given. */
  unit?: string | null;
  /** What the sensor's own system thinks of the value. */
  quality?: "good" | "uncertain" | "bad";
  /** Value by signal; null where the sensor gave none. */
  signals?: Record<string, number | null>;
  [name: string]: unknown;
}

/** What each topic holds, by its name without the prefix. */
export interface Topics {
  /** What the sensors said. */
  readings: WideReading | TagReading;
  /** What each stack thinks of each reading. */
  labels: Label;
  /** Alerts opened and closed. */
  incidents: Incident;
  /** The latest of each machine. */
  status: Status;
  /** What could not be read, whole. */
  rejected: Rejected;
  /** Models that are due. */
  training: TrainingRequest;
  /** Models to be in force, the latest of each. */
  models: ModelUpdate;
  /** What people say about incidents. */
  feedback: Feedback;
}
