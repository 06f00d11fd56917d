using LServe.Sessions;

namespace LServe.Stores.AzureBlob;

/// <summary>A stretch of a file that one request reads, and the records in it.</summary>
/// <param name="Records">Their places in the list of what is wanted.</param>
internal sealed record PageRange(int File, long Offset, long End, IReadOnlyList<int> Records)
{
    /// <summary>Bytes between two records that are rather read than asked for in two requests.</summary>
    private const int MaxGap = 64 << 10;

    /// <summary>Bytes: places beyond are no file's.</summary>
    private const long MaxOffset = 1L << 48;

    public long Length => End - Offset;

    /// <summary>The stretches to read; records that can't be anywhere are in none.</summary>
    /// <param name="maxBytes">Bytes of a stretch, but for a longer record.</param>
    public static List<PageRange> Of(IReadOnlyList<KvRead> wanted, int maxBytes)
    {
        var ranges = new List<PageRange>();
        var found = Enumerable.Range(0, wanted.Count)
            .Where(i => wanted[i].Place is { File: >= 0, Offset: >= 0 and < MaxOffset } place && place.Length == wanted[i].To.Length)
            .OrderBy(i => (wanted[i].Place.File, wanted[i].Place.Offset));
        foreach (var i in found)
        {
            var place = wanted[i].Place;
            var end = place.Offset + RecordHeader.Bytes + place.Length;
            if (ranges.Count > 0 && ranges[^1] is var last && last.File == place.File && place.Offset <= last.End + MaxGap && end - last.Offset <= maxBytes)
                ranges[^1] = last with { End = Math.Max(last.End, end), Records = [.. last.Records, i] };
            else
                ranges.Add(new(place.File, place.Offset, end, [i]));
        }
        return ranges;
    }
}
