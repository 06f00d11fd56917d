namespace LServe.Model;

/// <summary>Collects the pieces of a rendered conversation; empty ones are left out, neighbouring markup is joined.</summary>
internal sealed class SegmentWriter
{
    private readonly List<TemplateSegment> _segments = [];

    public IReadOnlyList<TemplateSegment> Segments => _segments;

    public SegmentWriter Markup(string text) => Add(text, true);

    public SegmentWriter Content(string text) => Add(text, false);

    private SegmentWriter Add(string text, bool isMarkup)
    {
        if (text.Length == 0) return this;
        if (isMarkup && _segments.Count > 0 && _segments[^1].IsMarkup) _segments[^1] = new(_segments[^1].Text + text, true);
        else _segments.Add(new(text, isMarkup));
        return this;
    }
}
