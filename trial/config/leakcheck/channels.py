"""The channels through which a blind leaks, and who watches each: a planted leak, another test, or a person with a procedure.

The numbers and classes are those of the trial's list of channels (A screens, B logs, C exports, D messages, E numbers, F contents, G control).
``by`` names the planted leaks (``tests/blinding/leaks``), the tests, or the procedure.
"""

from dataclasses import dataclass
from typing import Literal

Watch = Literal["mutant", "tested", "human"]


@dataclass(frozen=True)
class Channel:
    """One channel. ``by``: names of planted leaks, ids of tests, or one procedure in words."""

    number: int
    words: str
    watch: Watch
    by: tuple[str, ...]


def _mutant(number: int, words: str, *names: str) -> Channel:
    return Channel(number, words, "mutant", names)


def _tested(number: int, words: str, *ids: str) -> Channel:
    return Channel(number, words, "tested", ids)


def _human(number: int, words: str, procedure: str) -> Channel:
    return Channel(number, words, "human", (procedure,))


WALLS = "tests/unit/core/test_walls.py"
CANARIES = "tests/blinding/test_canaries.py"
ALLOCATOR = "tests/unit/unblinded/test_allocator.py"

CHANNELS: tuple[Channel, ...] = (
    _mutant(1, "The arm on a form or in the head of a record", "arm_on_the_page"),
    _mutant(2, "A message after randomizing that states the value", "answer_states_the_value"),
    _mutant(3, "Tasks, counts and progress that only one arm has", "task_of_one_arm"),
    _mutant(4, "Hidden widgets, classes and states in the page's text", "class_of_a_row", "hidden_field"),
    _mutant(5, "A pointer to what an unblinded colleague opened last", "last_opened_by_a_colleague"),
    _mutant(6, "Search and filters that know the assignment", "search_knows_the_arm"),
    _mutant(7, "Order of a list by allocation", "order_by_allocation"),
    _mutant(8, "Addresses and keys that hold the allocation", "address_holds_the_slot"),
    _mutant(9, "Status codes that differ by arm", "status_by_arm"),
    _mutant(10, "Texts of errors", "refusal_names_the_arm", "error_of_the_server"),
    _tested(11, "Shared screens, view as somebody else", "tests/access/test_every_url.py::test_every_address_as"),
    _mutant(12, "Caches of the browser", "validator_of_the_cache"),
    _mutant(13, "The history of a record", "history_says_why"),
    _mutant(14, "An extra row in the history for one arm", "extra_row_of_history"),
    _mutant(15, "The application's log", "line_of_the_log"),
    _mutant(16, "Dumps, replicas and SQL tools", "right_on_the_allocations"),
    _mutant(17, "Metrics labeled by arm", "counter_by_arm"),
    _mutant(18, "Names of lists and ratios in the history of the design", "name_of_the_list"),
    _tested(19, "The list in a file on disk", f"{WALLS}::test_a_login_reads_what_the_list_says_and_nothing_else",
            f"{WALLS}::test_the_unblinded_login_cannot_read_the_sequence"),
    _mutant(20, "A column of an export", "column_of_the_export"),
    _mutant(21, "Stars that tell that there is a value", "stars_in_place_of_a_value"),
    _mutant(22, "A program that is told more than a person", "program_is_told_more"),
    _mutant(23, "Names of files", "name_of_a_file"),
    _mutant(24, "Printed forms and PDF by arm", "pdf_by_arm"),
    _mutant(25, "Codebooks and definitions of items that one arm has", "codebook_of_one_arm"),
    _tested(26, "Fake arms that hold the real one", "tests/unit/analysis/runs/test_runs.py::test_the_fake_arm_knows_nothing_of_the_allocation",
            "tests/unit/analysis/runs/test_all_outcomes.py::test_fake_values_depend_on_the_number_and_the_seed_alone"),
    _human(27, "Templates for import that show values", "Nothing is imported into a running trial through a page. A list is imported by "
           "the owner's command, by somebody without recruiting rights."),
    _human(28, "An extract that an unblinded person forwards", "Unblinded extracts carry their side in name and page; the ledger names "
           "who opened them. They are handed over in person, never by e-mail (data management plan)."),
    _mutant(29, "An e-mail about randomization that holds the arm", "mail_with_the_arm"),
    _mutant(30, "An alert into which the arm is piped", "subject_with_the_arm"),
    _mutant(31, "Recipients that differ by arm", "copy_to_the_therapist"),
    _mutant(32, "A notice of unblinding that shows the arm", "notice_with_the_arm"),
    _mutant(33, "Invitations and names of rooms", "room_of_the_visit"),
    _human(34, "Requests for help and their screenshots", "Help is asked for by study number without screenshots; the help desk holds no "
           "account of the trial."),
    _mutant(35, "Counts by arm and what remains of a list", "what_remains_of_the_list"),
    _tested(36, "Small blocks in an open trial", "tests/unit/protocol/test_predictability.py::test_in_the_trial_of_14_teams_a_quarter_is_certain"),
    _mutant(37, "One code for everybody of an arm", "code_of_the_arm"),
    _human(38, "Numbers and shipments of kits", "A trial of this kind has none."),
    _mutant(39, "Coded tables A and B on the open side", "table_by_code"),
    _mutant(40, "Charts by arm or by something near to it", "chart_by_arm"),
    _mutant(41, "Different numbers analyzed", "number_analyzed"),
    _tested(42, "That an interim analysis happens", f"{WALLS}::test_the_blinded_login_cannot_read_behind_the_wall",
            "tests/unit/analysis/runs/test_runs.py::test_no_comparative_run_before_planned_unblinding",
            "tests/blinding/test_two_worlds.py::test_the_worlds_do_differ_behind_the_wall"),
    _human(43, "A changed sample size that lets one compute the difference", "The plan publishes the rule, never the estimate; the "
           "independent statistician answers with the size alone."),
    _tested(44, "Indices of blinding on the open side", "tests/unit/participants/test_way_in.py::test_a_report_of_unblinding_is_write_only"),
    _mutant(45, "Dates and gaps that follow the sessions", "day_follows_the_sessions"),
    _human(46, "Values that only one treatment causes", "The protocol names such items; they are no part of the instruments of blind raters."),
    _tested(47, "Narratives of events that name the treatment",
            "tests/unit/unblinded/events/test_narratives.py::test_nobody_blind_reads_what_was_told",
            "tests/unit/unblinded/events/test_narratives.py::test_behind_the_wall_a_report_looks_the_same_of_either_arm"),
    _tested(48, "Free text", f"{CANARIES}::test_words_reach_their_readers_and_nobody_else",
            f"{CANARIES}::test_words_stand_in_their_own_column_alone"),
    _tested(49, "Text of queries by unblinded people",
            "tests/unit/assessments/test_queries_about_data.py::test_the_unblinded_login_reads_no_query_and_the_history_keeps_no_words"),
    _mutant(50, "Deviations and reasons for the end of treatment", "reason_follows_the_treatment"),
    _human(51, "The participant tells", "Participants are asked before each interview not to tell; who was told reports it, and a later "
           "visit goes to another interviewer."),
    _human(52, "Unblinded staff in the same room", "Interviewers work in other rooms than therapists; the delegation log is reviewed by "
           "the monitor."),
    _human(53, "Scanned documents", "No document is uploaded. Source documents stay at the site."),
    _mutant(54, "A look at the next slot before randomizing", "preview_of_the_slot"),
    _tested(55, "Making somebody anew for another arm", f"{ALLOCATOR}::test_an_allocation_comes_from_its_slot",
            f"{ALLOCATOR}::test_a_sequence_in_use_is_not_replaced"),
    _tested(56, "Tests that use the real list", "tests/unit/config/worlds/test_play_demo.py::test_another_world_is_refused_by_name"),
    _tested(57, "An administrator who reads the list", f"{WALLS}::test_the_unblinded_login_cannot_read_the_sequence"),
    _tested(58, "Two people who get one slot", f"{ALLOCATOR}::test_ten_processes_two_hundred_people_one_allocation_each"),
    _tested(59, "One person with roles of both sides", "tests/unit/core/test_accounts.py::test_nobody_holds_roles_of_both_sides"),
    _tested(60, "An emergency break that opens more than one participant", "tests/blinding/test_gates.py::test_codes_and_hand_overs_tell_nothing"),
)  # fmt: skip

UNSEEN: tuple[tuple[str, str], ...] = (
    ("What people say and hear", "Channels 51 and 52: training, and the report of unblinding."),
    ("What is typed", "Both worlds hold the same words: the canary test and coded reasons."),
    ("How long an answer takes", "make bench; the clock of this check stands still."),
    (
        "The order in which a table hands out rows that nobody sorted",
        "Every list of the application is sorted; system columns stay hidden.",
    ),
    (
        "Other programs on the same machine",
        "The operator's: scratch databases, backups and logs belong to the owner of the server.",
    ),
)
"""What this comparison cannot see, and what serves it."""


@dataclass(frozen=True)
class Gate:
    """A declared way through the wall, and what is held to follow from it."""

    name: str
    way: str
    after: str


GATES: tuple[Gate, ...] = (
    Gate("down", "disclosure.actions.release, after database lock and planned unblinding; release_recommendation, for the word of the committee",
         "The closed trial is read up to the gate; what is released is meant to differ. A look is held in one world only, and no word of it passes."),
    Gate("up", "Drop boxes: the blinded login may insert and never read",
         "Reports and guesses are written in both worlds and say other things in each; neither they nor their number can be read. What follows of "
         "them on the open side, another interviewer, is equal."),
    Gate("one", "The emergency code-break of one participant by the investigator",
         "In either world the codes of one arm are broken, of other people in each; everybody else's world is still equal. The page itself lies "
         "behind the wall and is not read by this check."),
)  # fmt: skip
"""The three gates of the architecture, and no other."""
