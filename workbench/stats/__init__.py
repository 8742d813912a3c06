"""Numbers from arrays: numpy in, numbers out, and every one with its interval, method and n.

::

    intervals      Interval, Wilson, means and gaps, with clusters
    binning        edges, bins that never split ties, and the sums per bin
    calibration    ECE and its kin, Brier, NLL, null bands, bin tables, tests of calibration
    smooth         smooth ECE and its interval
    clustered      the bin table where rows belong together
    ranking        AUROC, AURC, risk against coverage
    summary        everything at once, for one group or many
    recalibration  temperature and other maps, fitted
    conformal      prediction sets
    bbq            the scores of BBQ: bias in both conditions, the accuracy cost
    significance   sign test, corrections for several tests
    resample       the cluster bootstrap of any function of sums
    groups         rates by group, and what is between groups
    slices         which slices of the rows have more errors, corrected for the search
    equivalence    whether a difference is too small to matter: TOST, non-inferiority
    sample_size    how many pairs show a difference of some size
    held_out       slices that were found elsewhere, tested in rows that had no part in finding them
    worst_group    the worst of several groups, its interval allowing for the choice
    robustness     accuracy elsewhere beyond what accuracy here foretells
    mmd            two sets of vectors: MMD and energy distance, by permutation and sign flips
    two_sample     two sets by column (KS), by category (chi-squared), by a classifier (C2ST)
    label_shift    shares of classes without labels (BBSE)
    stereoset      LMS, SS and ICAT by target term
    ood            how usual an input is, from logits and from features
    ood_metrics    AUROC, average precision both ways, FPR95
    logistic       the head that turns features into class logits
    unlabelled     accuracy without labels: ATC, DoC, CBPE and their kin

Nothing is imported here: name the module that you want.
"""
