namespace LServe.Inference;

/// <summary>
/// Which KV pages are free and how many tables share each of the others. Knows no bytes: the backend holds those. Used by the step
/// loop alone. The assertions stay on in Release: a page with two owners would mix two conversations.
/// </summary>
public sealed class KvPagePool
{
    private readonly int[] _free, _references;
    private int _freeCount;

    /// <param name="pages">Pages in all; the pool's limit.</param>
    public KvPagePool(int pages)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(pages);
        _references = new int[pages];
        _free = new int[pages];
        // The last one is taken first, so pages are handed out in ascending order and untouched memory stays untouched.
        for (var i = 0; i < pages; i++) _free[i] = pages - 1 - i;
        _freeCount = pages;
    }

    public int Total => _references.Length;
    public int Free => _freeCount;
    public int Used => Total - _freeCount;

    /// <summary>Takes a free page with one owner; false when there is none.</summary>
    public bool TryTake(out int page)
    {
        if (_freeCount == 0)
        {
            page = -1;
            return false;
        }
        page = _free[--_freeCount];
        if (_references[page] != 0) throw new InvalidOperationException($"Page {page} was free and has {_references[page]} owners.");
        _references[page] = 1;
        return true;
    }

    /// <summary>Adds an owner to a page that has one.</summary>
    public void Share(int page)
    {
        if (_references[page] < 1) throw new InvalidOperationException($"Page {page} is free and can't be shared.");
        _references[page]++;
    }

    /// <summary>Whether writing to the page would be seen by another owner.</summary>
    public bool IsShared(int page) => _references[page] > 1;

    /// <summary>Takes an owner away; the page is free once the last is gone.</summary>
    public void Return(int page)
    {
        if (_references[page] < 1) throw new InvalidOperationException($"Page {page} was returned twice.");
        if (--_references[page] == 0) _free[_freeCount++] = page;
    }

    /// <summary>Checks that the free list and the owner counts agree.</summary>
    /// <exception cref="InvalidOperationException">They don't.</exception>
    public void CheckIntegrity()
    {
        var seen = new bool[Total];
        for (var i = 0; i < _freeCount; i++)
        {
            var page = _free[i];
            if (seen[page]) throw new InvalidOperationException($"Page {page} is on the free list twice.");
            if (_references[page] != 0) throw new InvalidOperationException($"Page {page} is free and has owners.");
            seen[page] = true;
        }
        for (var page = 0; page < Total; page++)
            if (!seen[page] && _references[page] < 1)
                throw new InvalidOperationException($"Page {page} is neither free nor owned.");
    }
}
