// What the type checker is told of Bokeh 3.9 and Panel 1.9: no more than our scripts use.

interface Signal<T = unknown> {
  connect(slot: (value: T) => void): void
  emit(): void
}

interface Property {
  attr: string
  change: Signal
  is_unset: boolean
  get_value(): unknown
}

interface BokehDocument {
  _all_models: Map<string, Model>
  is_idle: boolean
  on_change(listener: () => void): void
  remove_on_change(listener: () => void): void
  on_event(name: string, listener: () => void): void
}

interface Model {
  id: string
  type: string
  document: BokehDocument | null
  properties: Record<string, Property>
  references(): Set<Model>
  setv(changed: Partial<this>, options?: {sync?: boolean, silent?: boolean}): void
  [Symbol.iterator](): Iterator<Property>
}

interface Source<Columns> extends Model {
  data: Columns
  change: Signal
  patching: Signal
  streaming: Signal
}

interface BokehRange extends Model {
  start: number
  end: number
}

interface Title extends Model {
  text: string
  text_font_size: string
}

interface Figure extends Model {
  x_range: BokehRange
  y_range: BokehRange
  inner_width: number
  inner_height: number
  outer_width: number
  outer_height: number
}

interface Span extends Model {
  location: number
}

interface BoxAnnotation extends Model {
  left: number
  right: number
  pan: Signal<[phase: string]>
}

interface ColorMapper extends Model {
  palette: number[]
  low: number
  high: number
}

interface Callback extends Model {
  execute(caller: Model): Promise<unknown>
}

interface Visible extends Model {
  visible: boolean
}

/** What Bokeh keeps as an array of numbers with its shape. */
type NDArray<Numbers> = Numbers & {shape: number[]}

/** An event with the pointer's place in the figure's data (`x`, `y`) and in pixels (`sx`, `sy`). */
interface PointEvent {
  origin: Model
  event_name: string
  x: number
  y: number
  sx: number
  sy: number
  modifiers: {shift: boolean, ctrl: boolean, alt: boolean}
}

interface View {
  el: HTMLElement
  shadow_el: ShadowRoot
  bbox: {width: number, height: number}
  model: Model
}

interface ViewIndex {
  find_one(model: Model): any
  find_one_by_id(id: string): any
}

declare const Bokeh: {
  version: string
  index: ViewIndex
  documents: BokehDocument[]
  Models: {get(name: string): any}
  embed: {embed_item(item: unknown, place: string | null): Promise<unknown>}
}

/** A component of Panel as its script sees it: its parameters, and what it says and hears. */
type Component<Parameters> = Parameters & {
  on(names: string | string[], listener: (message: any) => void): void
  send_msg(message: unknown): void
}

/** What a page of a server makes known to its models; not there in a notebook. */
// biome-ignore lint/style/noVar: what is global is declared so
declare var vitpanel: {ramps: [string[], string[]][]} | undefined
