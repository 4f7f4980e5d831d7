"""One sentence for each code: what is wrong, where, what to do. English; a page translates the sentence, then fills it."""

from __future__ import annotations

from .canonical import plain
from .problems import Problem


def _(sentence: str) -> str:
    """Marks a sentence for the translators; this package itself knows no language."""
    return sentence


SENTENCES: dict[str, str] = {
    # the specification
    "spec_not_a_table": _("“%(place)s” must be a table of keys and values."),
    "spec_text_wanted": _("“%(place)s” must be a text without back-quotes; it is “%(got)s”."),
    "spec_choice": _("“%(place)s” is “%(got)s”; allowed are: %(allowed)s."),
    "spec_levels": _("“%(place)s” must be a list of at least two levels, the reference first."),
    "spec_levels_twice": _("“%(place)s” names a level twice."),
    "spec_unknown_key": _("“%(place)s” is not a key of a specification; check its spelling or remove it."),
    "spec_level_not_a_number": _("“%(place)s” has “%(got)s”; with a linear time every level must be a number."),
    "spec_same_arm": _("“%(place)s” gives “%(got)s” as both arms."),
    "spec_confidence": _("“%(place)s” is “%(got)s”; it must lie between 0.5 and 1."),
    "spec_column_twice": _("Column “%(column)s” is used twice in the specification."),
    "spec_interaction_without_arm": _("“%(place)s” is on, but the specification has no arm."),
    "spec_two_baselines": _("“%(place)s” is for a baseline that is an outcome; here the baseline is a covariate."),
    # the table
    "table_not_utf8": _("The table is not UTF-8 text (byte %(byte)s). Save it as CSV, UTF-8."),
    "table_empty": _("The table is empty: not even a header."),
    "table_column_twice": _("The header names these columns twice: %(columns)s."),
    "table_ragged": _("Row %(row)s does not have %(columns)s cells as the header has (%(rows)s such rows)."),
    "column_missing": _("The table has no column “%(column)s”. It has: %(available)s."),
    "not_a_number": _("Column “%(column)s”, row %(row)s: “%(value)s” is not a number."),
    "not_a_number_more": _("Column “%(column)s” has %(rows)s more rows that are not numbers."),
    "unknown_level": _("Column “%(column)s”, row %(row)s: “%(value)s” is not one of: %(allowed)s."),
    "subject_missing": _("Column “%(column)s”, row %(row)s: the subject is missing."),
    "row_twice": _("Subject %(subject)s has visit %(visit)s twice (%(rows)s such rows)."),
    "varies_within_subject": _("“%(column)s” changes within subject %(subject)s; it must be one fact of the subject."),
    "baseline_missing": _(
        "“%(column)s” is missing for %(subjects)s subjects, and the specification does not allow it."
    ),
    "baseline_filled": _(
        "“%(column)s” is missing for %(subjects)s subjects: they have the mean of all (%(mean)s) and an indicator."
    ),
    "covariate_missing": _("%(subjects)s subjects are left out because “%(column)s” is missing."),
    "nothing_to_analyze": _("No row has a value of “%(outcome)s” and of all covariates."),
    "visit_empty": _("Nobody has an outcome at visit %(visit)s."),
    "arm_empty": _("Nobody in arm %(arm)s has an outcome; there is nothing to compare."),
    "arm_of_one": _("Arm %(arm)s has one person with an outcome."),
    "cell_empty": _(
        "Nobody in arm %(arm)s has an outcome at visit %(visit)s: their difference there is not estimable."
    ),
    # the fit
    "too_few_rows": _("%(rows)s rows are too few for %(parameters)s coefficients and two variances."),
    "outcome_constant": _("The outcome is %(value)s in every row; there is no variance to analyze."),
    "one_subject": _("All rows belong to one subject; a mixed model needs several."),
    "one_row_per_subject": _(
        "Each of the %(subjects)s subjects has one row: the variance between subjects cannot be told from the residual."
    ),
    "no_information_within": _(
        "The coefficients use up all %(rows)s rows of %(subjects)s subjects within subjects: the residual variance cannot be "
        "estimated."
    ),
    "no_information_between": _(
        "%(subjects)s subjects are too few for the coefficients that differ between them: the variance between subjects cannot "
        "be estimated."
    ),
    "no_residual_variance": _("The model fits every row exactly; there is no residual variance to judge it by."),
    "rank_deficient": _("The data do not determine these coefficients, and they are left empty: %(columns)s."),
    "variance_zero": _(
        "The variance between subjects is exactly 0: repeated values of one person are no more alike than those of two. The model "
        "is the one without it, with the degrees of freedom of least squares."
    ),
    "several_maxima": _("The likelihood has %(maxima)s maxima; the highest is reported."),
    "not_converged": _("The fit did not converge (gradient %(gradient)s). Its estimates are withheld."),
    "statsmodels_raised": _(
        "statsmodels stopped with %(error)s (%(message)s); the exact likelihood went on without it."
    ),
    "statsmodels_warned": _("statsmodels warned: %(message)s (%(category)s)."),
    "statsmodels_not_converged": _("statsmodels did not converge; the exact likelihood went on from where it stopped."),
    "statsmodels_short": _("statsmodels stopped %(gain)s below the maximum of the log-likelihood."),
    "statsmodels_higher": _(
        "statsmodels found a log-likelihood that is higher by %(gain)s; this fit is not the maximum."
    ),
    "one_unit": _("Everybody belongs to one unit: the model has no variance between units."),
    "unit_variance_zero": _(
        "The variance between units (teams) is exactly 0: the model is the one without it, with its degrees of freedom."
    ),
    # yes/no outcomes, ranks, selected groups
    "column_left_out": _("“%(column)s” tells nothing that the other columns do not, and is left out."),
    "separated": _(
        "The groups and covariates tell all events from all others (separation): the likelihood has no maximum. The estimate "
        "is Firth's, of the penalized likelihood, with its profile interval."
    ),
    "logistic_not_converged": _("The logistic regression did not converge (gradient %(gradient)s)."),
    "rests_on_randomization": _(
        "“%(method)s” rests on the lot and does not hold between groups that were selected afterwards; it is refused here."
    ),
    "no_exposure": _("Nobody's sessions are known in this run: there is nothing to form groups by."),
    "nobody_selected": _("Nobody belongs to a group that is compared."),
    # guesses of the arm
    "blinding_two_arms": _("The indices of blinding compare two arms; there are %(got)s."),
    "blinding_arm": _("“%(got)s” is not an arm; allowed are: %(allowed)s."),
    "blinding_guess": _("“%(got)s” is not a guess; allowed are: %(allowed)s."),
    "blinding_count": _("The count of arm %(arm)s, guess %(guess)s is %(got)s; a count is 0 or more."),
    "blinding_nobody": _("Nobody made a guess."),
    "blinding_empty_arm": _("Not estimable: nobody of this arm made a guess."),
    "blinding_one_guess": _("Not estimable: everybody who guessed made the one guess about the one arm."),
    # looks at the data while the trial runs
    "spending_unknown": _("“%(got)s” is not a spending function; allowed are: %(allowed)s."),
    "spending_parameter": _(
        "“%(got)s” is not a spending function: obf and pocock have no parameter, hsd:G one from -%(widest)s to %(widest)s, kd:R one "
        "above 0 up to %(widest)s."
    ),
    "sequential_sides": _("A test has 1 or 2 sides, not %(got)s."),
    "sequential_alpha": _("Alpha is %(got)s; it must lie between 0 and %(most)s."),
    "sequential_maximum": _("The maximum information is %(got)s; it must be a number above 0."),
    "sequential_no_look": _("No look is given."),
    "sequential_falling": _(
        "Look %(look)s has information %(got)s after %(before)s: information must rise from look to look, from above 0."
    ),
    "sequential_too_near": _(
        "Look %(look)s has information %(got)s after %(before)s: it must rise by at least one part in a thousand."
    ),
    "sequential_nothing_left": _(
        "Look %(look)s has no alpha: all of it is spent at look %(before)s. Is the maximum information right?"
    ),
    "sequential_spent_looks": _("Spent alpha is given for %(got)s looks, but there are %(looks)s."),
    "sequential_spent": _(
        "Spent alpha at look %(look)s is %(got)s after %(before)s: it is cumulative, never falls, and is at most %(alpha)s."
    ),
    "sequential_bounds": _("Each look needs one upper bound, and a lower one that is not above it."),
    "sequential_power": _(
        "No design has the power or probability %(got)s; give one below 1 and above the type-I error."
    ),
    "sequential_fraction": _("The information fraction is %(got)s; it must lie between 0 and 1."),
    "look_no_contrast": _(
        "The contrast at the primary visit could not be estimated: the look says nothing and spends nothing."
    ),
    "look_early": _(
        "The information reached is %(share)s of the planned maximum, less than %(least)s: so early a look is held only if the "
        "committee asks for it. Nothing was spent."
    ),
    "look_few": _(
        "An arm has %(got)s people with the outcome at the primary visit, fewer than %(least)s: so early a look is held only if the "
        "committee asks for it. Nothing was spent."
    ),
    "look_no_alpha": _(
        "This look would cost %(price)s beside %(used)s already spent and leave nothing of %(alpha)s for the final analysis."
    ),
    "blinded_nobody": _("Nobody has the primary outcome at the primary visit yet."),
    # several imputations
    "pool_pairs": _("There are %(estimates)s estimates and %(errors)s standard errors; each estimate needs its own."),
    "pool_too_few": _("Pooling needs at least two imputations; there are %(got)s."),
    "pool_number": _(
        "Imputation %(row)s has estimate %(estimate)s and standard error %(se)s: both must be numbers, the second above 0."
    ),
    "pool_df": _("The complete degrees of freedom are %(got)s; they must be above 0."),
    # subgroups
    "subgroup_no_column": _(
        "The snapshot has no column “%(column)s”: it was made before the plan divided by it. Make a new snapshot and start again."
    ),
    "subgroup_unknown": _("Nobody's value of “%(column)s” is known."),
    "subgroup_one_level": _("Everybody is in the level %(level)s: there is nothing to compare it with."),
    "subgroup_empty": _(
        "In the level %(level)s nobody of arm %(arm)s has the outcome at the primary visit: no difference is estimated, and no interaction "
        "tested."
    ),
    "subgroup_few": _(
        "In the level %(level)s %(got)s people of arm %(arm)s have the outcome at the primary visit, fewer than %(least)s: no difference is "
        "estimated, and no interaction tested."
    ),
    "subgroup_not_estimable": _("The data do not determine the difference in each level, or its interaction."),
    # values that are missing
    "imputation_shapes": _("Outcomes, events, design and analysis do not have the same people and visits."),
    "imputation_not_finite": _("An outcome is infinite, or a covariate is missing: nothing can be imputed from it."),
    "imputation_event": _("The visit of an intercurrent event is none of the visits."),
    "retrieved_too_few": _(
        "In the %(arm)s arm, values after the event are missing at follow-up visit %(visit)s, and only %(seen)s were seen there after it;"
        " imputing from them needs at least %(least)s."
    ),
    "imputation_dead": _("A person has an outcome after death."),
    "imputation_refits": _(
        "The jackknife needs the model once without each person: %(people)s fits, and there are %(got)s."
    ),
    "imputation_sigma": _("The covariance of the visits is not positive definite; nothing can be imputed from it."),
    "imputation_analysis": _(
        "The data do not determine the regression at the last visit, of everybody or without one person."
    ),
    # the lot drawn again
    "rerandomization_no_scheme": _(
        "The list was made elsewhere and its scheme is not declared: the lot cannot be drawn again. Declare the scheme, or leave the "
        "re-randomization test out."
    ),
    "rerandomization_not_verified": _(
        "The scheme of the allocation has not been revealed yet: verify the allocation first, then start this analysis again."
    ),
    "rerandomization_entry": _("The order of entry of %(people)s people is not known: the lot cannot be drawn again."),
    "rerandomization_scheme": _(
        "The scheme did not give one of the trial's arms to each of the %(people)s people (replicate %(replicate)s): it is not the one that "
        "allocated them."
    ),
    "rerandomization_no_statistic": _("The contrast that was observed has no statistic; there is nothing to compare."),
    "rerandomization_too_few": _("%(got)s replicates are too few; the test needs at least %(least)s."),
    "rerandomization_parts": _("The parts do not hold each of the %(replicates)s replicates exactly once."),
    "rerandomization_seeds": _("The parts were drawn from different seeds; they do not belong to one test."),
    "bootstrap_no_contrast": _(
        "The model has no difference between these arms at this visit to be computed in samples of the patients."
    ),
    "bootstrap_parts": _("The parts do not hold each of the %(replicates)s samples exactly once, of one seed."),
    "bootstrap_failed": _(
        "%(failed)s of %(replicates)s samples could not be fitted: an interval from the others would not hold."
    ),
    "max_t_shapes": _("The statistics of %(outcomes)s outcomes do not go with replicates of the shape %(got)s."),
    "run_inputs_changed": _("What is joined to the outcomes has changed since this analysis began. Start a new one."),
    # the command line
    "command_columns": _("The file has no column %(missing)s; it needs %(allowed)s."),
    "command_count": _("Row %(row)s: the count is “%(got)s”; a count is a whole number, 0 or more."),
    "command_twice": _("Row %(row)s: %(got)s was counted above."),
    "command_sides": _("--sides is “%(got)s”; allowed are 1 and 2."),
    "command_number": _("%(key)s: “%(got)s” is not a number."),
    "command_spending": _("--spending is “%(got)s”; did you mean %(nearest)s? Allowed are: %(allowed)s."),
    "command_column_like": _("The file has no column %(missing)s; did you mean %(nearest)s? It needs %(allowed)s."),
    # the command fit
    "fit_key": _("“%(got)s” is not a key of a specification; keys are: %(allowed)s."),
    "fit_key_meant": _("“%(got)s” is not a key of a specification; “%(meant)s” is. Keys are: %(allowed)s."),
    "fit_key_missing": _("The specification has no “%(key)s”."),
    "fit_word": _("“%(key)s” is “%(got)s”; allowed are: %(allowed)s."),
    "fit_word_meant": _("“%(key)s” is “%(got)s”; did you mean “%(meant)s”? Allowed are: %(allowed)s."),
    "fit_list": _("“%(key)s” must be a list of texts or numbers."),
    "fit_twice": _("“%(key)s” names something twice."),
    "fit_text": _("“%(key)s” must be a text; it is “%(got)s”."),
    "fit_yes_no": _("“%(key)s” must be true or false; it is “%(got)s”."),
    "fit_nested": _('“%(key)s” must name the arm and the unit: {arm = "1", unit = "group"}.'),
    "fit_needed": _("“%(model)s” needs the key “%(key)s”."),
    "fit_needs_other": _("“%(key)s” has no meaning without “%(other)s”."),
    "fit_clda_baseline": _("In “clda” the baseline is the first visit, %(visit)s; the key “baseline” is left aside."),
    "fit_categorical": _("“categorical” names “%(got)s”, which is not one of the covariates: %(allowed)s."),
    "fit_categorical_meant": _(
        "“categorical” names “%(got)s”, which is not one of the covariates; did you mean “%(meant)s”? They are: %(allowed)s."
    ),
    "fit_column": _("“%(key)s” names the column “%(got)s”, which the data do not have. They have: %(allowed)s."),
    "fit_column_meant": _(
        "“%(key)s” names the column “%(got)s”, which the data do not have; did you mean “%(meant)s”? They have: %(allowed)s."
    ),
    "fit_level": _("“%(key)s” has “%(got)s”, which column “%(column)s” does not have. It has: %(allowed)s."),
    "fit_level_meant": _(
        "“%(key)s” has “%(got)s”, which column “%(column)s” does not have; did you mean “%(meant)s”? It has: %(allowed)s."
    ),
    "fit_file": _("The file %(file)s cannot be read: %(message)s."),
    "fit_not_toml": _("%(file)s is not TOML: %(message)s."),
    "fit_no_rows": _("The data have a header and no row."),
    "fit_cell_missing": _("Column “%(column)s”, row %(row)s is empty."),
    "fit_row_twice": _("Row %(row)s: subject %(subject)s has visit %(visit)s a second time."),
    "fit_all_missing": _("“%(outcome)s” is missing in every row that could be analyzed."),
    "fit_few_people": _("Fewer than 3 subjects can be analyzed (%(subjects)s); no model is fitted to so few."),
    "fit_unused": _("“%(key)s” has no meaning for “%(model)s” and is left aside."),
    "fit_one_arm": _(
        "Column “%(column)s” has the one arm %(arm)s among the analyzed rows; there is nothing to compare."
    ),
    "fit_one_level": _(
        "Column “%(column)s” has the one level %(level)s among the analyzed rows; a subgroup needs at least two."
    ),
    "fit_one_visit": _("“%(model)s” needs at least two visits; there is one, %(visit)s. “ancova” is for one visit."),
    "fit_many_visits": _("%(visits)s visits are too many for a covariance of visits; name up to 30 in “visits”."),
    "fit_visit_constant": _("Everybody has %(value)s at visit %(visit)s; there is no variance to analyze."),
    "fit_visit_is_baseline": _(
        "At visit %(visit)s the outcome is the baseline itself; leave that visit out by “visits”."
    ),
    "fit_too_few": _(
        "%(subjects)s subjects with %(rows)s values are too few for %(parameters)s coefficients and the covariance of the visits."
    ),
    "fit_too_large": _("“%(column)s” has numbers too large to compute with; change its unit."),
    "fit_not_converged": _(
        "The fit did not converge, nor is its Hessian that of a maximum; tried were: %(tried)s. There is no estimate."
    ),
    "fit_numbers": _("The data do not determine the model: a matrix of it has no inverse."),
    "fit_cluster_model": _(
        "“cluster” belongs to a robust variance: choose variance cr0 or cr2, or leave it out for cr2."
    ),
    "fit_no_diagnostics": _(
        "Residuals and influence are made for mmrm, clda and lmm with random intercepts, not for %(model)s."
    ),
    "fit_kenward_roger_robust": _("“kenward_roger” has its own variance; it does not go with variance “%(variance)s”."),
    "fit_needs_one_visit": _("“%(model)s” is for one visit; name it in “visits”. The data have: %(visits)s."),
    "fit_needs_one_row": _("“%(model)s” takes one row of each subject; name the visit in “visit” and “visits”."),
    "fit_two_arms": _("“%(model)s” compares two arms; the analyzed rows have another number."),
    "fit_no_covariates": _("“%(model)s” takes neither a baseline nor covariates."),
    "fit_not_binary": _("“%(outcome)s” must be 0 or 1; it has %(got)s."),
    "fit_not_counts": _("“%(outcome)s” must be a whole number, 0 or more; it has %(got)s."),
    "fit_exposure": _("“%(column)s” must be larger than 0; it has %(got)s."),
    "fit_weak": _("The arm does not change “%(received)s”; its effect cannot be estimated."),
    "fit_weak_instrument": _("The arm is a weak instrument: the first-stage F is %(F)s, below 10."),
    "fit_poisson": _("There is no overdispersion (theta is infinite): the model is Poisson's."),
    "fit_stray_group": _("%(column)s %(unit)s has somebody of another arm than “nested_in_arm” names."),
    "fit_few_groups": _("“%(column)s” has fewer than two groups; their variance cannot be estimated."),
    "fit_nested_levels": _("With “nested_in_arm” the key “random” has the subject only."),
    "fit_df": _("Degrees of freedom “%(df)s” are not for “%(model)s”."),
    "fit_levels": _("“random” has %(levels)s levels; one or two are fitted, the outermost first."),
    "fit_crossed": _(
        "%(inner)s %(unit)s belongs to two of “%(outer)s”; “random” takes nested levels, the outermost first."
    ),
    "fit_slope_level": _("“%(column)s” cannot be a level of “random” and the slope at once."),
    "fit_slope_constant": _("The slope “%(column)s” has one value in all rows; there is no slope to estimate."),
    "fit_singular": _(
        "The covariance of the random effects of %(levels)s is singular: a variance is exactly 0 or a correlation 1. The model is "
        "the one without it, with its degrees of freedom."
    ),
    "covariance_fell_back": _("The covariance %(tried)s did not converge; the plan's next, %(used)s, is used."),
    "variance_robust": _(
        "Below the unstructured covariance the variance is %(variance)s, robust to a wrong covariance."
    ),
    "residual_robust": _("With residual degrees of freedom the variance is the empirical one, CR0, as in mmrm."),
    # a single estimate
    "withheld": _("Withheld: the fit did not converge."),
    "not_estimable": _("Not estimable: the data do not determine it."),
    "no_variance": _("Its variance cannot be computed."),
    "no_interaction": _("The plan's model has no interaction of condition and time."),
    "event_constant": _("Not estimable: everybody has the event, or nobody has."),
    "group_constant": _("Not estimable: the data have one group only."),
    "group_empty": _("Not estimable: a group has nobody."),
    "all_tied": _("Not estimable: every value is the same, so that ranks say nothing."),
    "no_records": _("Not estimable: no records are known."),
    "too_few_for_interval": _("The people are too few for an interval."),
}


def arguments(problem: Problem) -> dict[str, str]:
    """The data of a problem as texts that fill its sentence."""
    return {key: _as_text(value) for key, value in problem.data.items()}


def _as_text(value: object) -> str:
    if isinstance(value, tuple | list):  # a list where it came back from JSON
        return ", ".join(map(str, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def in_words(problem: Problem) -> str:
    """The English sentence of a problem; a code without sentence shows itself and its data, so that nothing is lost."""
    sentence = SENTENCES.get(problem.code)
    return sentence % arguments(problem) if sentence else f"{problem.code} {plain(problem.data)}"
