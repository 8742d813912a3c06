// A saved report as a document: the page that stands in the file, shown without a kernel and without any script.

import { ABCWidgetFactory, DocumentRegistry, DocumentWidget, IDocumentWidget } from '@jupyterlab/docregistry';
import { ToolbarButton } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';
import { element } from './dom';

const PAGE = 'report.html';

/** The text of one entry of a zip file; null where there is none. Entries are stored, or deflated. */
export async function entry(bytes: Uint8Array, name: string): Promise<string | null> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) {
    end--;
  }
  if (end < 0) {
    throw new Error('it is not a zip file');
  }
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  const decode = new TextDecoder();
  for (let i = 0; i < count; i++) {
    const method = view.getUint16(at + 10, true);
    const packed = view.getUint32(at + 20, true);
    const [nameLength, extra, comment] = [28, 30, 32].map(offset => view.getUint16(at + offset, true));
    const local = view.getUint32(at + 42, true);
    const found = decode.decode(bytes.subarray(at + 46, at + 46 + nameLength));
    if (found === name) {
      const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      const content = bytes.slice(start, start + packed);
      if (method === 0) {
        return decode.decode(content);
      }
      const stream = new Blob([content]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
      return new Response(stream).text();
    }
    at += 46 + nameLength + extra + comment;
  }
  return null;
}

/** The page in JupyterLab's theme: its own style sheet asks for that of the system. */
function dressed(page: string): string {
  const end = page.indexOf('</style>');
  const now = document.body.dataset.jpThemeLight === 'false' ? 'all' : 'not all';
  return page.slice(0, end).replace('(prefers-color-scheme: dark)', now) + page.slice(end);
}

class Content extends Widget {
  constructor(private _context: DocumentRegistry.Context) {
    super();
    this.addClass('workbench-lab-report');
    void _context.ready.then(() => this._show());
    _context.model.contentChanged.connect(() => void this._show());
    this._theme.observe(document.body, { attributeFilter: ['data-jp-theme-light'] });
  }

  dispose(): void {
    this._theme.disconnect();
    super.dispose();
  }

  private async _show(): Promise<void> {
    const text = this._context.model.toString().replace(/\s/g, '');
    let page: string | null = null;
    let problem = 'This report was saved without a page. Open it in a notebook, and save it again.';
    try {
      page = await entry(Uint8Array.from(atob(text), c => c.charCodeAt(0)), PAGE);
    } catch (error) {
      problem = `This is not a saved report, or it is damaged (${(error as Error).message}).`;
    }
    if (page === null) {
      this.node.replaceChildren(element('p', { class: 'workbench-lab-problem', role: 'alert', text: problem }));
      return;
    }
    // An empty sandbox: no script, no form, no origin; the page's own policy forbids to load anything, too.
    this.node.replaceChildren(element('iframe', { sandbox: '', srcdoc: dressed(page), title: `Report ${this._context.path}` }));
  }

  private _theme = new MutationObserver(() => void this._show());
}

export class ReportFactory extends ABCWidgetFactory<IDocumentWidget<Content>> {
  constructor(
    options: DocumentRegistry.IWidgetFactoryOptions,
    private _explore: (path: string) => void
  ) {
    super(options);
  }

  protected createNewWidget(context: DocumentRegistry.Context): IDocumentWidget<Content> {
    const made = new DocumentWidget({ content: new Content(context), context });
    made.toolbar.addItem(
      'explore',
      new ToolbarButton({ label: 'Explore it in a notebook', tooltip: 'Open a notebook with the linked charts of this report', onClick: () => this._explore(context.path) })
    );
    return made;
  }
}
