// The link with kernels: one comm, "workbench.runs", which a kernel opens, or which a page that is opened later finds.

import { Kernel, KernelMessage } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

const TARGET = 'workbench.runs';

export interface IModel {
  id: number;
  name: string;
  kind: string;
  device: string;
  dtype: string;
  bytes: number;
  variables: string[];
}

export interface IRun {
  number: number;
  title: string;
  status: string;
  problem: string;
  variable: string;
  total: number;
  done: number;
  unit: string;
  rate: number;
  left: number | null;
  seconds: number;
}

export interface IState {
  models: IModel[];
  runs: IRun[];
  memory: { name: string; used: number; total: number }[];
}

export const EMPTY: IState = { models: [], runs: [], memory: [] };

/** Whether a run has not ended. */
export const going = (run: IRun): boolean => run.status === 'running' || run.status === 'starting';

/** What each kernel has said, and how to answer it. */
export class Kernels {
  /** Fires with the kernel whose state has changed. */
  get changed(): ISignal<this, Kernel.IKernelConnection> {
    return this._changed;
  }

  /** What a kernel has said last. */
  state(kernel: Kernel.IKernelConnection | null | undefined): IState {
    return (kernel && this._states.get(kernel.id)) || EMPTY;
  }

  /** Listen to a kernel: to the comm that it opens, and to one that it has opened before this page was there. */
  attach(kernel: Kernel.IKernelConnection | null | undefined): void {
    if (!kernel || this._seen.has(kernel)) {
      return;
    }
    this._seen.add(kernel);
    kernel.registerCommTarget(TARGET, (comm, open) => {
      this._take(kernel, comm);
      this._hear(kernel, open.content.data as unknown as IState);
    });
    kernel.statusChanged.connect((_, status) => {
      if (status === 'restarting' || status === 'autorestarting' || status === 'dead') {
        this._forget(kernel);
      } else if (status === 'idle') {
        void this._find(kernel);
      }
    });
    kernel.disposed.connect(() => this._forget(kernel));
    void this._find(kernel);
  }

  /** Say something to a kernel; nothing where it has no channel. */
  send(kernel: Kernel.IKernelConnection | null | undefined, message: { kind: string; number?: number; id?: number }): void {
    const comm = kernel && this._comms.get(kernel.id);
    if (comm && !comm.isDisposed) {
      comm.send(message);
    }
  }

  /** Look among the kernel's comms for one that was there before this page; it is asked for its state. */
  private async _find(kernel: Kernel.IKernelConnection): Promise<void> {
    if (this._comms.has(kernel.id) || this._asking.has(kernel.id) || kernel.isDisposed) {
      return;
    }
    this._asking.add(kernel.id);
    try {
      const reply = await kernel.requestCommInfo({ target_name: TARGET });
      const found = reply.content.status === 'ok' ? Object.keys(reply.content.comms) : [];
      if (found.length && !this._comms.has(kernel.id)) {
        const comm = kernel.createComm(TARGET, found[0]);
        this._take(kernel, comm);
        comm.send({ kind: 'hello' });
      }
    } catch {
      // a kernel that goes away while it is asked
    } finally {
      this._asking.delete(kernel.id);
    }
  }

  private _take(kernel: Kernel.IKernelConnection, comm: Kernel.IComm): void {
    this._comms.set(kernel.id, comm);
    comm.onMsg = (message: KernelMessage.ICommMsgMsg) => this._hear(kernel, message.content.data as unknown as IState);
    comm.onClose = () => this._forget(kernel);
  }

  private _hear(kernel: Kernel.IKernelConnection, state: IState): void {
    this._states.set(kernel.id, { ...EMPTY, ...state });
    this._changed.emit(kernel);
  }

  private _forget(kernel: Kernel.IKernelConnection): void {
    this._comms.delete(kernel.id);
    if (this._states.delete(kernel.id)) {
      this._changed.emit(kernel);
    }
  }

  private _seen = new WeakSet<Kernel.IKernelConnection>();
  private _asking = new Set<string>();
  private _comms = new Map<string, Kernel.IComm>();
  private _states = new Map<string, IState>();
  private _changed = new Signal<this, Kernel.IKernelConnection>(this);
}
