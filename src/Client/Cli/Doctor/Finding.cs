namespace LServe.Cli.Doctor;

internal enum Health
{
    Good,

    /// <summary>Works, but somebody may want to know.</summary>
    Note,

    /// <summary>Serving would fail.</summary>
    Broken,
}

/// <param name="Text">What was found and, when it isn't good, what to do.</param>
internal sealed record Finding(Health Health, string What, string Text);
