"""The processes of one training run: who leads, and how they agree."""

from __future__ import annotations

from dataclasses import dataclass

from finetune.hardware import Hardware


@dataclass(frozen=True, slots=True)
class Processes:
    """This process's ``rank`` among ``count``; one alone unless ``torchrun`` started more."""

    rank: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the one that talks, scores and writes."""
        return self.rank == 0

    def agree(self, wanted: bool) -> bool:
        """What the leader wants, in every process."""
        if self.count == 1:
            return wanted
        from accelerate.utils import broadcast_object_list

        return bool(broadcast_object_list([wanted])[0])

    def wait(self) -> None:
        """Go on when every process is here."""
        if self.count > 1:
            from accelerate import PartialState

            PartialState().wait_for_everyone()


ALONE = Processes()


def join_processes(hardware: Hardware) -> Processes:
    """Meet the other processes that ``torchrun`` started: over gloo on processors, nccl on GPUs."""
    from accelerate import PartialState

    state = PartialState(cpu=hardware.device == "cpu")
    return Processes(state.process_index, state.num_processes)
