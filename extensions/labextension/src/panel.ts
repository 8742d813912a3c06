// The side panel: models in memory, runs, saved reports of the folder, memory of the device.

import { Kernel } from '@jupyterlab/services';
import { Widget } from '@lumino/widgets';
import { duration, element, legible, size } from './dom';
import { going, IModel, IRun, IState, Kernels } from './kernels';

const WORDS: { [status: string]: string } = {
  starting: 'Loading the model',
  running: 'Running',
  done: 'Done',
  cancelled: 'Cancelled',
  unfinished: 'Stopped',
  failed: 'Failed',
  'not applicable': 'Not applicable'
};
const whole = new Intl.NumberFormat('en-GB');

export interface IActions {
  launch: () => void;
  open: (path: string) => void;
  reports: () => Promise<{ path: string; name: string }[]>;
}

export class Panel extends Widget {
  constructor(
    private _kernels: Kernels,
    private _actions: IActions
  ) {
    super();
    this.id = 'workbench-panel';
    this.addClass('workbench-lab-panel');
    this.title.caption = 'Workbench: models, runs and saved reports';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Workbench');
    const button = element('button', { type: 'button', class: 'workbench-lab-launch', text: 'New launcher', onclick: () => this._actions.launch() });
    this._kernelLine = element('p', { class: 'workbench-lab-quiet' });
    this._models = element('ul', { 'aria-label': 'Models in memory' });
    this._runs = element('ul', { 'aria-label': 'Runs' });
    this._reports = element('ul', { 'aria-label': 'Saved reports of this folder' });
    this._memory = element('div', { class: 'workbench-lab-memory' });
    this.node.append(
      element('div', { class: 'workbench-lab-head' }, [button, this._kernelLine]),
      section('Runs', this._runs),
      section('Models in memory', this._models),
      section('Memory', this._memory),
      section('Saved reports of this folder', this._reports)
    );
    this._kernels.changed.connect((_, kernel) => {
      if (kernel.id === this._kernel?.id) {
        this._paint();
      }
    });
    this._paint();
  }

  /** Show another kernel, by the name of what runs in it. */
  show_(kernel: Kernel.IKernelConnection | null | undefined, name: string): void {
    this._kernel = kernel;
    this._kernelLine.textContent = kernel ? legible(`Kernel of ${name}`) : 'Open a notebook to see its models and runs.';
    this._paint();
  }

  /** Look for saved reports again. */
  async look(): Promise<void> {
    const found = await this._actions.reports();
    fill(
      this._reports,
      found.map(one =>
        element('li', {}, [
          element('button', { type: 'button', class: 'workbench-lab-link', text: one.name, title: one.path, onclick: () => this._actions.open(one.path) })
        ])
      ),
      'None here. Save one with report.save("name").'
    );
  }

  protected onAfterShow(): void {
    void this.look();
  }

  private _paint(): void {
    const state: IState = this._kernels.state(this._kernel);
    const held = document.activeElement?.getAttribute('data-key');
    fill(this._runs, state.runs.map(run => this._runLine(run)), 'No run yet.');
    fill(this._models, state.models.map(model => this._modelLine(model)), 'None is loaded.');
    fill(this._memory, state.memory.map(memoryLine), 'Known once Workbench is used in the notebook.');
    if (held) {
      this.node.querySelector<HTMLElement>(`[data-key="${held}"]`)?.focus();
    }
  }

  private _runLine(run: IRun): HTMLElement {
    const share = run.total ? run.done / run.total : 0;
    const facts = [WORDS[run.status] ?? run.status];
    if (run.total) {
      facts.push(`${whole.format(run.done)} of ${whole.format(run.total)} ${run.unit}`);
    }
    if (run.status === 'running' && run.rate > 0) {
      facts.push(`${run.rate >= 10 ? Math.round(run.rate) : run.rate.toFixed(1)} per second`);
    }
    if (run.status === 'running' && run.left !== null) {
      facts.push(`about ${duration(run.left)} left`);
    }
    if (run.variable && !going(run)) {
      facts.push(`in ${run.variable}`);
    }
    const bar = element('div', { class: 'workbench-lab-fill', style: `width: ${100 * share}%` });
    const cancel = element('button', {
      type: 'button',
      class: 'workbench-lab-button',
      'data-key': `cancel-${run.number}`,
      text: 'Cancel',
      'aria-label': `Cancel run ${run.number}`,
      onclick: () => this._kernels.send(this._kernel, { kind: 'cancel', number: run.number })
    });
    return element('li', { 'data-status': run.status }, [
      element('div', { class: 'workbench-lab-line' }, [element('span', { class: 'workbench-lab-name', text: run.title }), going(run) ? cancel : null]),
      going(run)
        ? element(
            'div',
            { class: 'workbench-lab-bar', role: 'progressbar', 'aria-label': `Run ${run.number}`, 'aria-valuemin': 0, 'aria-valuemax': run.total || 1, 'aria-valuenow': run.done },
            [bar]
          )
        : null,
      element('div', { class: 'workbench-lab-quiet', text: facts.join(' · ') }),
      run.problem ? element('div', { class: 'workbench-lab-problem', text: run.problem }) : null
    ]);
  }

  private _modelLine(model: IModel): HTMLElement {
    const names = model.variables.join(', ');
    const facts = [model.kind, model.dtype, model.device, model.bytes ? size(model.bytes) : '', names ? `in ${names}` : 'in no variable'];
    const unload = element('button', {
      type: 'button',
      class: 'workbench-lab-button',
      'data-key': `unload-${model.id}`,
      text: 'Unload',
      'aria-label': `Unload ${model.name}`,
      title: names ? `Delete ${names} and free the memory` : 'No variable of the notebook holds it',
      disabled: !names,
      onclick: () => this._kernels.send(this._kernel, { kind: 'unload', id: model.id })
    });
    return element('li', {}, [
      element('div', { class: 'workbench-lab-line' }, [element('span', { class: 'workbench-lab-name', text: model.name }), unload]),
      element('div', { class: 'workbench-lab-quiet', text: facts.filter(Boolean).join(' · ') })
    ]);
  }

  private _kernel: Kernel.IKernelConnection | null | undefined = null;
  private _kernelLine: HTMLElement;
  private _models: HTMLElement;
  private _runs: HTMLElement;
  private _reports: HTMLElement;
  private _memory: HTMLElement;
}

function section(title: string, content: HTMLElement): HTMLElement {
  return element('section', {}, [element('h2', { text: title }), content]);
}

/** Put lines into a list, or the sentence for when there are none. */
function fill(list: HTMLElement, lines: HTMLElement[], none: string): void {
  const tag = list.tagName === 'UL' ? 'li' : 'div';
  list.replaceChildren(...(lines.length ? lines : [element(tag, { class: 'workbench-lab-quiet', text: none })]));
}

function memoryLine(one: { name: string; used: number; total: number }): HTMLElement {
  const share = one.total ? one.used / one.total : 0;
  return element('div', {}, [
    element('div', { class: 'workbench-lab-line' }, [
      element('span', { text: one.name }),
      element('span', { class: 'workbench-lab-quiet', text: `${size(one.used)} of ${size(one.total)}` })
    ]),
    element('div', { class: 'workbench-lab-bar', role: 'meter', 'aria-label': `Memory of ${one.name}`, 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuenow': Math.round(100 * share) }, [
      element('div', { class: 'workbench-lab-fill', style: `width: ${100 * share}%` })
    ])
  ]);
}
