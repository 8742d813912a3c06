// Workbench in JupyterLab: a side panel, a tile, commands, a status item, and saved reports as documents.
// Nothing here that the API and the magics cannot do; no server extension, and no request to any other host.

import { ILabShell, ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';
import { IStatusBar } from '@jupyterlab/statusbar';
import { LabIcon } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import { going, Kernels } from './kernels';
import { Panel } from './panel';
import { ReportFactory } from './report';
import { dress } from './style';

const LAUNCH = 'workbench:launch';
const SHOW = 'workbench:show-panel';
const CANCEL = 'workbench:cancel-runs';
const EXPLORE = 'workbench:explore-report';
const NEW = 'workbench:new-notebook'; // where a page of Notebook 7 tells the next one which notebook it made
const CATEGORY = 'Workbench';
const START = 'import workbench as wb\n\nwb.launch()';

const icon = new LabIcon({
  name: 'workbench:icon',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><g class="jp-icon3" fill="#616161"><path d="M3 20h18v1.6H3z"/><path d="M4.5 13h3v6h-3zM10.5 9h3v10h-3zM16.5 4h3v15h-3z"/></g></svg>'
});

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'workbench-lab:plugin',
  description: 'Models, runs and saved reports of Workbench.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette, ILauncher, IStatusBar, IDefaultFileBrowser, ILayoutRestorer, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    statusBar: IStatusBar | null,
    browser: IDefaultFileBrowser | null,
    restorer: ILayoutRestorer | null,
    labShell: ILabShell | null
  ) => {
    const { commands } = app;
    dress();
    const kernels = new Kernels();
    const folder = () => browser?.model.path ?? '';

    /** A new notebook with one cell, which is run. */
    const notebook = async (source: string, cwd: string): Promise<void> => {
      await app.serviceManager.kernelspecs.ready; // without a kernel's name JupyterLab asks for one
      const kernelName = app.serviceManager.kernelspecs.specs?.default;
      if (labShell) {
        const panel = (await commands.execute('notebook:create-new', { cwd, kernelName, activate: true })) as NotebookPanel;
        await panel.context.ready;
        panel.content.activeCell?.model.sharedModel.setSource(source);
        await run(panel);
        return;
      }
      const { contents, serverSettings } = app.serviceManager; // Notebook 7 opens each document in a page of its own
      const { path } = await contents.newUntitled({ path: cwd, type: 'notebook' });
      const cells = [{ cell_type: 'code', source, metadata: {}, outputs: [], execution_count: null, id: 'workbench' }];
      const metadata = kernelName ? { kernelspec: { name: kernelName, display_name: kernelName } } : {};
      await contents.save(path, { type: 'notebook', format: 'json', content: { cells, metadata, nbformat: 4, nbformat_minor: 5 } });
      localStorage.setItem(NEW, path);
      window.open(`${serverSettings.baseUrl}notebooks/${path.split('/').map(encodeURIComponent).join('/')}`, '_blank');
    };
    const run = async (panel: NotebookPanel): Promise<void> => {
      await panel.context.ready;
      await panel.sessionContext.ready;
      await NotebookActions.run(panel.content, panel.sessionContext);
    };
    const explore = (path: string) => {
      const at = path.lastIndexOf('/');
      const source = `import workbench as wb\n\nreport = wb.open(${JSON.stringify(path.slice(at + 1))})\nwb.explore(report)`;
      return notebook(source, path.slice(0, Math.max(at, 0)));
    };

    // -- saved reports as documents
    app.docRegistry.addFileType({
      name: 'workbench-report',
      displayName: 'Workbench report',
      extensions: ['.workbench'],
      mimeTypes: ['application/zip'],
      fileFormat: 'base64',
      contentType: 'file',
      icon
    });
    app.docRegistry.addWidgetFactory(
      new ReportFactory(
        { name: 'Workbench report', modelName: 'base64', fileTypes: ['workbench-report'], defaultFor: ['workbench-report'], readOnly: true },
        path => void explore(path)
      )
    );

    // -- the side panel
    const panel = new Panel(kernels, {
      launch: () => void commands.execute(LAUNCH),
      open: path => void commands.execute('docmanager:open', { path }),
      reports: async () => {
        try {
          const found = await app.serviceManager.contents.get(folder(), { content: true });
          const files = found.content as { name: string; path: string }[];
          return files.filter(one => one.name.endsWith('.workbench')).sort((a, b) => a.name.localeCompare(b.name));
        } catch {
          return [];
        }
      }
    });
    panel.title.icon = icon;
    app.shell.add(panel, 'left', { rank: 650 });
    restorer?.add(panel, panel.id);
    browser?.model.refreshed.connect(() => {
      if (panel.isVisible) {
        void panel.look();
      }
    });

    // -- the status item
    const item = new Widget({ node: document.createElement('button') });
    item.addClass('jp-StatusBar-TextItem');
    item.addClass('workbench-lab-status');
    item.node.title = 'Show the Workbench panel';
    item.node.addEventListener('click', () => void commands.execute(SHOW));
    statusBar?.registerStatusItem('workbench-lab:status', { item, align: 'left', rank: 8, isActive: () => !!item.node.textContent });

    const current = () => notebooks.currentWidget?.sessionContext.session?.kernel;
    const paint = () => {
      const state = kernels.state(current());
      const runs = state.runs.filter(going);
      const [run] = runs;
      const far = run && run.total ? ` ${Math.floor((100 * run.done) / run.total)} %` : '';
      const models = state.models.length;
      const idle = models ? `Workbench: ${models} model${models === 1 ? '' : 's'}` : '';
      item.node.textContent = runs.length ? `Workbench: ${runs.length} run${runs.length === 1 ? '' : 's'}${far}` : idle;
      item.node.hidden = !item.node.textContent;
    };
    paint();
    kernels.changed.connect((_, kernel) => {
      if (kernel.id === current()?.id) {
        paint();
      }
    });

    // -- kernels of notebooks
    const show = () => {
      kernels.attach(current());
      panel.show_(current(), notebooks.currentWidget?.title.label ?? '');
      paint();
    };
    notebooks.widgetAdded.connect((_, one) => {
      one.sessionContext.kernelChanged.connect((__, change) => {
        kernels.attach(change.newValue);
        show();
      });
      kernels.attach(one.sessionContext.session?.kernel);
      if (localStorage.getItem(NEW) === one.context.path) {
        localStorage.removeItem(NEW); // a notebook that another page made just now: that page cannot run its cell
        void run(one);
      }
    });
    notebooks.currentChanged.connect(show);
    show();

    // -- widgets of a page ask here to put a cell below theirs
    const shared = globalThis as unknown as { [key: symbol]: unknown };
    shared[Symbol.for('workbench.lab')] = {
      insertCell: (source: string, node: HTMLElement) => {
        const home = notebooks.find(one => one.node.contains(node)) ?? notebooks.currentWidget;
        if (!home) {
          return;
        }
        const at = home.content.widgets.findIndex(cell => cell.node.contains(node));
        if (at >= 0) {
          home.content.activeCellIndex = at;
        }
        NotebookActions.insertBelow(home.content);
        home.content.activeCell?.model.sharedModel.setSource(source);
      }
    };

    // -- commands
    commands.addCommand(LAUNCH, {
      label: args => (args['isPalette'] ? 'New Workbench Launcher' : 'Workbench'),
      caption: 'A notebook with the launcher: choose model, examples and probe',
      icon: args => (args['isPalette'] ? undefined : icon),
      execute: args => notebook(START, (args['cwd'] as string) ?? folder())
    });
    commands.addCommand(SHOW, {
      label: 'Show Models, Runs and Saved Reports',
      execute: () => {
        app.shell.activateById(panel.id);
        labShell?.activateById(panel.id);
      }
    });
    commands.addCommand(CANCEL, {
      label: 'Cancel the Runs of This Notebook',
      isEnabled: () => kernels.state(current()).runs.some(going),
      execute: () => {
        for (const run of kernels.state(current()).runs.filter(going)) {
          kernels.send(current(), { kind: 'cancel', number: run.number });
        }
      }
    });
    commands.addCommand(EXPLORE, {
      label: 'Explore a Saved Report in a Notebook',
      isVisible: args => typeof args['path'] === 'string',
      execute: args => explore(args['path'] as string)
    });
    kernels.changed.connect(() => commands.notifyCommandChanged(CANCEL));
    for (const command of [LAUNCH, SHOW, CANCEL]) {
      palette?.addItem({ command, category: CATEGORY, args: { isPalette: true } });
    }
    launcher?.add({ command: LAUNCH, category: CATEGORY, rank: 10 });
  }
};

export default plugin;
