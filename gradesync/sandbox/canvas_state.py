"""The state of one sandbox Canvas with its indexes: where a record is found, and who belongs where.

No teacher's act and no JSON here. Other modules add records through this class only, so that no index goes
stale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from gradesync.sandbox.canvas_records import (
    STUDENT_TYPES,
    Account,
    Assignment,
    AssignmentGroup,
    Course,
    Enrollment,
    GradingPeriod,
    Login,
    Section,
    Submission,
    Term,
    User,
)

#: The first id of each kind; distinct ranges make a mixed-up id visible.
FIRST_IDS = {
    "account": 1,
    "term": 1,
    "user": 11,
    "course": 101,
    "group": 501,
    "section": 1001,
    "grading_period": 71,
    "login": 7001,
    "import": 1,
    "progress": 4_000,
    "override": 90001,
    "assignment": 200001,
    "enrollment": 400001,
    "submission": 1000001,
}


@dataclass(slots=True)
class CanvasSettings:
    """What differs between hosted Canvases, and what tests turn.

    Throttle: the bucket refuses at `high_water_mark`, never holds more than `maximum`, leaks `outflow`
    units a second and takes `up_front` per request in flight; `request_cost` is what an answered request
    costs and `hold_seconds` how long each stays in flight. `throttle_status` is 403 (text) or 429.
    `forbidden_status`: 401 (older sites) or 403. `import_delay`: seconds an import waits in each of its
    states; `sis_imports` False: they are switched off for the account. `graphql` False: no such address here.
    `scoped_key`: the token may read GraphQL's root and nothing below.
    `max_complexity` is GraphQL's limit. `post_grades` False: the SIS assignments API is not enabled.
    `denied` and `extra_rights` change what the token's role may do, by Canvas's names; `tells_rights`, `tells_tokens`
    False: rights, or tokens, are not told; `token_days`: in how many days ours ends, None never; `clock_ahead`: seconds
    its clock is wrong; `drops_includes`: parts asked for are left out, as for a scoped key without include parameters.
    """

    max_per_page: int = 100
    high_water_mark: float = 600.0
    maximum: float = 800.0
    outflow: float = 10.0
    up_front: float = 50.0
    request_cost: float = 0.0005
    hold_seconds: float = 0.0
    throttle_status: int = 403
    forbidden_status: int = 401
    import_delay: float = 0.05
    sis_imports: bool = True
    graphql: bool = True
    scoped_key: bool = False
    max_complexity: int = 375_000
    post_grades: bool = True
    denied: frozenset[str] = frozenset()
    extra_rights: frozenset[str] = frozenset()
    tells_rights: bool = True
    tells_tokens: bool = True
    token_days: float | None = None
    clock_ahead: float = 0.0
    drops_includes: bool = False


_MANNERS: dict[str, tuple[str, bool]] = {
    "canvas-no-graphql": ("graphql", False),
    "canvas-scoped-key": ("scoped_key", True),
    "canvas-no-sis-api": ("post_grades", False),
}
MANNERS = tuple(_MANNERS)
"""How a Canvas may be all the time, by name."""


def take_manner(settings: CanvasSettings, name: str) -> None:
    """Let a Canvas show a manner of MANNERS from now on."""
    setattr(settings, *_MANNERS[name])


def drop_manner(settings: CanvasSettings, name: str) -> None:
    """Put back what a manner changed."""
    setting, _ = _MANNERS[name]
    setattr(settings, setting, getattr(CanvasSettings(), setting))


class CanvasState:
    """Records by id, and the indexes over them.

    Deleting is a state, never a removal: a restored enrollment finds its submissions again, as in Canvas.
    """

    root_account_id = 1

    def __init__(self, *, token: str, uuid: str, name: str, now: Callable[[], datetime]) -> None:
        self.token = token
        self.uuid = uuid
        self.now = now
        self.time_zone = "America/New_York"
        self.settings = CanvasSettings()
        self.accounts: dict[int, Account] = {}
        self.terms: dict[int, Term] = {}
        self.courses: dict[int, Course] = {}
        self.sections: dict[int, Section] = {}
        self.users: dict[int, User] = {}
        self.logins: dict[int, Login] = {}
        self.enrollments: dict[int, Enrollment] = {}
        self.groups: dict[int, AssignmentGroup] = {}
        self.assignments: dict[int, Assignment] = {}
        self.submissions: dict[int, Submission] = {}
        self.grading_periods: dict[int, GradingPeriod] = {}
        self._counters = {kind: count(first) for kind, first in FIRST_IDS.items()}
        self._sis: dict[str, dict[str, int]] = defaultdict(dict)
        self.sections_by_course: dict[int, dict[int, Section]] = defaultdict(dict)
        self.enrollments_by_section: dict[int, list[Enrollment]] = defaultdict(list)
        self.enrollments_by_user: dict[int, list[Enrollment]] = defaultdict(list)
        self.logins_by_user: dict[int, list[Login]] = defaultdict(list)
        self.groups_by_course: dict[int, list[AssignmentGroup]] = defaultdict(list)
        self.assignments_by_course: dict[int, list[Assignment]] = defaultdict(list)
        self.submissions_by_course: dict[int, list[Submission]] = defaultdict(list)
        self.submission_of: dict[tuple[int, int], Submission] = {}
        self.add_account(Account(self.new_id("account"), name, None))
        self.default_term = self.add_term(Term(self.new_id("term"), "Default Term"))

    def new_id(self, kind: str) -> int:
        """The next id of a kind; ids of a kind only grow."""
        return next(self._counters[kind])

    # -- adding ------------------------------------------------------------------------------------

    def add_account(self, account: Account) -> Account:
        """Keeps a new account."""
        self.accounts[account.id] = account
        self.index_sis("account", account.sis_account_id, account.id)
        return account

    def add_term(self, term: Term) -> Term:
        """Keeps a new term."""
        self.terms[term.id] = term
        self.index_sis("term", term.sis_term_id, term.id)
        return term

    def add_course(self, course: Course) -> Course:
        """Keeps a new course."""
        self.courses[course.id] = course
        self.index_sis("course", course.sis_course_id, course.id)
        return course

    def add_section(self, section: Section) -> Section:
        """Keeps a new section."""
        self.sections[section.id] = section
        self.sections_by_course[section.course_id][section.id] = section
        self.index_sis("section", section.sis_section_id, section.id)
        return section

    def add_user(self, user: User) -> User:
        """Keeps a new person, without a login yet."""
        self.users[user.id] = user
        return user

    def add_login(self, login: Login) -> Login:
        """Keeps a new login of a known person."""
        self.logins[login.id] = login
        self.logins_by_user[login.user_id].append(login)
        self.index_sis("user", login.sis_user_id, login.id)
        self.index_sis("login", login.unique_id.casefold(), login.id)
        return login

    def add_enrollment(self, enrollment: Enrollment) -> Enrollment:
        """Keeps a new enrollment; rows of published assignments come with `place_rows`."""
        self.enrollments[enrollment.id] = enrollment
        self.enrollments_by_section[enrollment.course_section_id].append(enrollment)
        self.enrollments_by_user[enrollment.user_id].append(enrollment)
        self.place_rows(enrollment)
        return enrollment

    def add_group(self, group: AssignmentGroup) -> AssignmentGroup:
        """Keeps a new assignment group."""
        self.groups[group.id] = group
        self.groups_by_course[group.course_id].append(group)
        return group

    def index_sis(self, kind: str, sis_id: str | None, record_id: int) -> None:
        """Makes a record findable by its SIS id; a None is not indexed."""
        if sis_id is not None:
            self._sis[kind][sis_id] = record_id

    def move_sis_id(self, kind: str, old: str, new: str) -> int:
        """Lets an account, term, course or section be found under another SIS id; answers whose it is."""
        record_id = self._sis[kind].pop(old)
        self.index_sis(kind, new, record_id)
        return record_id

    # -- finding -----------------------------------------------------------------------------------

    def id_of(self, kind: str, sis_id: str) -> int | None:
        """The Canvas id behind a SIS id; kinds: account, term, course, section; user, login: a Login's id."""
        return self._sis[kind].get(sis_id)

    def login_by_sis(self, sis_user_id: str) -> Login | None:
        """The login that carries this SIS id, in any state."""
        found = self._sis["user"].get(sis_user_id)
        return None if found is None else self.logins[found]

    def login_by_name(self, unique_id: str) -> Login | None:
        """The login of this name, whatever its capitals, in any state."""
        found = self._sis["login"].get(unique_id.casefold())
        return None if found is None else self.logins[found]

    def rename_login(self, login: Login, unique_id: str) -> None:
        """Gives a login another name."""
        self._sis["login"].pop(login.unique_id.casefold(), None)
        login.unique_id = unique_id
        self.index_sis("login", unique_id.casefold(), login.id)

    def give_sis_id(self, login: Login, sis_user_id: str) -> None:
        """Gives a login a SIS id, instead of the one it may have."""
        self._sis["user"].pop(login.sis_user_id or "", None)
        login.sis_user_id = sis_user_id
        self.index_sis("user", sis_user_id, login.id)

    def forget_sis_id(self, login: Login) -> None:
        """Takes a login's SIS id away, as an admin can by hand."""
        self._sis["user"].pop(login.sis_user_id or "", None)
        login.sis_user_id = None

    def course_of(self, enrollment: Enrollment) -> Course:
        """The course the enrollment's section lives in now."""
        return self.courses[self.sections[enrollment.course_section_id].course_id]

    def enrollments_of_course(self, course_id: int) -> Iterator[Enrollment]:
        """Every enrollment of the course's sections, deleted ones too."""
        for section_id in self.sections_by_course[course_id]:
            yield from self.enrollments_by_section[section_id]

    def state_of(self, enrollment: Enrollment) -> str:
        """The state others see: an enrollment in a deleted section or course is deleted."""
        section = self.sections[enrollment.course_section_id]
        if section.workflow_state == "deleted" or self.courses[section.course_id].workflow_state == "deleted":
            return "deleted"
        return enrollment.workflow_state

    def students_of_course(self, course_id: int) -> dict[int, list[Enrollment]]:
        """The course's student enrollments that are not deleted, by person, the test student included."""
        return self._students(self.enrollments_of_course(course_id))

    def students_of_section(self, section_id: int) -> dict[int, list[Enrollment]]:
        """The section's student enrollments that are not deleted, by person."""
        return self._students(iter(self.enrollments_by_section[section_id]))

    def _students(self, enrollments: Iterator[Enrollment]) -> dict[int, list[Enrollment]]:
        found: dict[int, list[Enrollment]] = {}
        for enrollment in enrollments:
            if enrollment.type in STUDENT_TYPES and self.state_of(enrollment) != "deleted":
                found.setdefault(enrollment.user_id, []).append(enrollment)
        return found

    def live_assignments(self, course_id: int) -> list[Assignment]:
        """The course's assignments that are not deleted, in order of id."""
        return [one for one in self.assignments_by_course[course_id] if one.workflow_state != "deleted"]

    def is_assigned(self, assignment: Assignment, user_id: int) -> bool:
        """Whether the student has to do the assignment: everybody, unless it is only for its overrides."""
        if not assignment.only_visible_to_overrides:
            return True
        sections = self._sections_of(assignment.course_id, user_id)
        return any(
            user_id in override.student_ids or override.course_section_id in sections
            for override in assignment.overrides
        )

    def due_for(self, assignment: Assignment, user_id: int) -> datetime | None:
        """The student's own due date: an override by name, else the latest of the sections, else the base."""
        if not assignment.overrides:
            return assignment.due_at
        for override in assignment.overrides:
            if user_id in override.student_ids:
                return override.due_at
        sections = self._sections_of(assignment.course_id, user_id)
        dues = [one.due_at for one in assignment.overrides if one.course_section_id in sections]
        if not dues:
            return assignment.due_at
        return None if None in dues else max(due for due in dues if due is not None)

    def _sections_of(self, course_id: int, user_id: int) -> set[int]:
        live = self.sections_by_course[course_id]
        return {
            one.course_section_id
            for one in self.enrollments_by_user[user_id]
            if one.course_section_id in live and one.workflow_state != "deleted"
        }

    def periods_of(self, course: Course) -> list[GradingPeriod]:
        """The marking periods of the course's term, by start."""
        found = [one for one in self.grading_periods.values() if course.enrollment_term_id in one.term_ids]
        return sorted(found, key=lambda one: one.start_at)

    # -- rows --------------------------------------------------------------------------------------

    def place_rows(self, enrollment: Enrollment) -> None:
        """Gives a student a placeholder row in every published assignment of the course that is hers."""
        if enrollment.type not in STUDENT_TYPES or enrollment.workflow_state not in ("active", "invited"):
            return
        for assignment in self.live_assignments(self.sections[enrollment.course_section_id].course_id):
            if assignment.workflow_state == "published":
                self.row(assignment, enrollment.user_id)

    def row(self, assignment: Assignment, user_id: int) -> Submission | None:
        """The student's row, made when missing; None if the assignment is not hers."""
        found = self.submission_of.get((assignment.id, user_id))
        if found is not None:
            return found
        if not self.is_assigned(assignment, user_id):
            return None
        made = Submission(
            self.new_id("submission"), user_id, assignment.id, assignment.course_id, updated_at=self.now()
        )
        self.submissions[made.id] = made
        self.submissions_by_course[assignment.course_id].append(made)
        self.submission_of[(assignment.id, user_id)] = made
        return made

    def move_section(self, section: Section, course_id: int) -> None:
        """Puts a section, and so its enrollments, into another course."""
        self.sections_by_course[section.course_id].pop(section.id, None)
        section.course_id = course_id
        self.sections_by_course[course_id][section.id] = section
        for enrollment in self.enrollments_by_section[section.id]:
            self.place_rows(enrollment)

    def extra_raw(self) -> dict[str, Any]:
        """Facts beside the records, for the oracle."""
        return {"root_account_id": self.root_account_id, "uuid": self.uuid}
